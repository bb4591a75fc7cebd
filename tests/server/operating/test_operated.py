"""What one process does for its operator."""

from __future__ import annotations

import io
import json
import random
from typing import Any

import pytest
import trio

from actors.ports import StoreUnavailable
from scoreboard.observe.logs import make_logger
from scoreboard.server.crew.neighbours import DRAIN, REBUILD, STATUS, WARN
from scoreboard.server.operating.operated import WITH_REDIS, Operated


class Broken:
    """In place of a reporter: it cannot tell."""

    async def looked(self) -> dict[str, Any]:
        """See `Reporter`."""
        raise KeyError("a fault")


class Stage:
    """One process, and what was done with it."""

    def __init__(self) -> None:
        self.lines = io.StringIO()
        self.rebuilt: list[bool] = []
        self.warned = 0
        self.is_leaving = False
        reporter: Any = Broken()
        log = make_logger(style="json", stream=self.lines)
        self.operated = Operated(reporter, self, self.send_home, self.rebuild, self.warn, log, random.Random(1))

    def leave(self) -> None:
        """As a door."""
        self.is_leaving = True

    def warn(self) -> None:
        """It is going to end."""
        self.warned += 1

    async def send_home(self, over_s: float, back_after_s: object) -> None:
        """Nobody is there."""

    async def rebuild(self, with_redis: bool) -> str:  # noqa: FBT001 - as it is called
        """Only without Redis."""
        self.rebuilt.append(with_redis)
        if with_redis:
            raise StoreUnavailable("Redis is away")
        return "3 boards"


async def test_a_question_that_fails_ends_no_worker() -> None:
    """It is in the log; who asked hears nothing."""
    stage = Stage()
    assert b"" == await stage.operated.answers[STATUS]("")
    assert "not_answered" == json.loads(stage.lines.getvalue())["event"]


@pytest.mark.parametrize("words", ["5 0.2 2", "many", ""])
async def test_nobody_is_sent_home_by_a_process_that_does_not_run_or_without_a_time(words: str) -> None:
    """The parent then tells it to stop."""
    stage = Stage()
    assert b"no" == await stage.operated.answers[DRAIN](words)
    assert not stage.is_leaving


async def test_a_rebuilding_is_told_of_and_so_is_why_it_could_not_be() -> None:
    """Redis is filled by one worker only."""
    stage = Stage()
    answers = [await stage.operated.answers[REBUILD](words) for words in ("", WITH_REDIS)]
    assert [b"ok 3 boards", b"no Redis is away"] == answers
    assert [False, True] == stage.rebuilt
    assert b"ok" == await stage.operated.answers[WARN]("")
    assert 1 == stage.warned
    await trio.lowlevel.checkpoint()
