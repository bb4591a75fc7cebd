"""The clients themselves: what they lose by their own doing is not held against the server."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import NoReturn

import pytest
import trio
from trio.testing import MockClock

from tests.faults.clock import PARENT, SteppedClock
from tests.faults.journal import Journal
from tests.faults.line import Answer, Cut, Line
from tests.faults.load import Load
from tests.faults.players import Player
from tests.faults.sessions import PollingSession


class DeafLine:
    """Of a worker that stands still: nothing is answered."""

    @classmethod
    async def to(cls, _: int) -> DeafLine:
        """A connection, which the kernel accepts."""
        return cls()

    async def ask(self, *_: object, **__: object) -> NoReturn:
        """Without an end."""
        await trio.sleep_forever()
        raise AssertionError

    def hang_up(self) -> None:
        """Nothing to close."""


class AnsweringLine(Line):
    """To a worker that always answers that."""

    def __init__(self, status: int) -> None:
        self._answered = Answer(status, {}, json.dumps({"accessToken": "a", "refreshToken": "b"}).encode())

    async def ask(self, *_: object, **__: object) -> Answer:
        """At once."""
        return self._answered


async def test_a_session_ends_with_a_poll_that_was_given_up(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    """Its answer may have been on its way: who went on would miss a step that was told."""
    del autojump_clock
    monkeypatch.setattr("tests.faults.sessions.Line", DeafLine)
    session = PollingSession(1)
    with trio.move_on_after(4):
        await session.hear()
    with trio.fail_after(60), pytest.raises(Cut, match="given up"):
        await session.hear()


@pytest.mark.parametrize("renews", [True, False])
async def test_a_session_is_as_old_as_its_last_renewal(tmp_path: Path, *, renews: bool) -> None:
    """One that could not be renewed is as old as it was, and may well have expired."""
    journal = Journal(tmp_path / "journal.jsonl")
    load = Load(1, journal, Random(1), SteppedClock(tmp_path))
    player = Player("id", "ada", "token", "refresh")
    assert await load.renewed(player, AnsweringLine(200 if renews else 503)) is renews
    assert (player.since_s > 0) is renews
    journal.close()


def test_files_were_made_when_a_right_clock_showed_it(tmp_path: Path) -> None:
    """However much time went by since, and whatever the clock of who looks shows."""
    clock = SteppedClock(tmp_path, 1000)
    if clock.why_not is not None:
        pytest.skip(clock.why_not)
    first, second = tmp_path / "first", tmp_path / "second"
    first.touch()
    made_s = clock.true_s()
    assert pytest.approx([made_s, made_s], abs=30) == seen_by(clock, first)
    clock.pass_by(5000)
    second.touch()
    clock.set(-300, PARENT)
    assert pytest.approx([made_s, made_s + 5000, made_s + 4700], abs=30) == seen_by(clock, first, second)


def seen_by(clock: SteppedClock, *paths: Path) -> list[float]:
    """When these were made, and what time it is, in a process that has that clock."""
    look = "import os, sys, time; print(*(os.stat(path).st_ctime for path in sys.argv[1:]), time.time())"
    command = [sys.executable, "-c", look, *map(str, paths)]
    told = subprocess.run(command, env=clock.environ(), check=True, capture_output=True, text=True, timeout=60)
    return [float(word) for word in told.stdout.split()]


def test_a_session_that_began_when_weeks_had_just_passed_may_be_refused(tmp_path: Path) -> None:
    """And no other one of the same age."""
    clock = SteppedClock(tmp_path, 1000)
    if clock.why_not is not None:
        pytest.skip(clock.why_not)
    journal = Journal(tmp_path / "journal.jsonl")
    load = Load(1, journal, Random(1), clock)
    ada = Player("id", "ada", "token", "refresh", since_s=clock.true_s())
    load.wonder_at(ada, b"expired")
    assert len(journal.odd) == 1
    clock.pass_by(1_000_000)
    load.wonder_at(replace(ada, since_s=clock.true_s()), b"expired")
    load.wonder_at(ada, b"expired")
    assert len(journal.odd) == 1
    journal.close()


@pytest.mark.parametrize("was_set", [True, False])
def test_a_refusal_needs_a_reason(tmp_path: Path, *, was_set: bool) -> None:
    """A clock that was set lately is one."""
    clock = SteppedClock(tmp_path, 1000)
    if clock.why_not is not None:
        pytest.skip(clock.why_not)
    journal = Journal(tmp_path / "journal.jsonl")
    load = Load(1, journal, Random(1), clock)
    if was_set:
        clock.set(70, PARENT)
        clock.put_right()
    operation = journal.begin("ada", "key", "rest")
    load.wish(operation, {})
    load.refuse(operation, "TOKEN_EXPIRED")
    assert operation.refused == "TOKEN_EXPIRED"
    assert was_set is (journal.odd == [])
    journal.close()
