"""A full door: who asks how the server is hears it, everybody else hears that it is full."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from scoreboard.door import DoorLimits, Drop
from scoreboard.door.tls import Tls, TlsFiles
from scoreboard.server.operating.supervisor import answers_at, unverified
from tests.certificates import write_certificate
from tests.door.attacks import PLAIN
from tests.door.doors import OpenDoor, open_door, read_all, read_until

PROBES = ("/health", "/stuck", "/big")
HEALTH = PLAIN.replace(b"/hello", b"/health")
FULL, BY_ADDRESS = DoorLimits(connections=1), DoorLimits(connections_per_address=1)


def said(_target: bytes, status: int, _sentence: str) -> Any:
    """Words that tell for what they are."""
    return (), b"%d for %b" % (status, _target)


@asynccontextmanager
async def full_door(limits: DoorLimits = FULL, **more: Any) -> AsyncIterator[OpenDoor]:
    """A door whose only place is taken by somebody who says nothing yet."""
    async with open_door(limits, probes=PROBES, **more) as opened, await opened.connect():
        while not opened.door.connections:
            await trio.lowlevel.checkpoint()
        yield opened


@pytest.mark.parametrize("limits", [FULL, BY_ADDRESS], ids=["all", "one_address"])
async def test_a_full_door_answers_who_asks_how_the_server_is(limits: DoorLimits) -> None:
    """Again and again, each time one answer on one connection, whatever is sent behind it; nobody was refused."""
    async with full_door(limits) as opened:
        for _ in range(3):
            told = await opened.talk(HEALTH + HEALTH + PLAIN)
            assert (True, 1) == (told.startswith(b"HTTP/1.1 200 "), told.count(b"HTTP/1.1 "))
            assert told.endswith(b"hello")
            assert b"connection: close\r\n" in told
        assert 1 == opened.door.connections
    assert {Drop.FULL, Drop.ADDRESS_FULL}.isdisjoint(opened.journal.drops)


UPGRADE = b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"


@pytest.mark.parametrize(
    ("asked", "target"),
    [
        (PLAIN, b"/hello"),
        (HEALTH.replace(b"/health", b"/healthy"), b"/healthy"),
        (UPGRADE, b"/health"),
        (b"\0", b""),
    ],
)
async def test_everybody_else_is_told_that_it_is_full(asked: bytes, target: bytes) -> None:
    """At once, in the words of what was asked for, and counted."""
    async with full_door(words=said) as opened:
        told = await opened.talk(asked)
        assert told.startswith(b"HTTP/1.1 503 ")
        assert told.endswith(b"503 for " + target)
        assert b"retry-after: 5\r\n" in told
    assert 1 == opened.journal.drops[Drop.FULL]


@pytest.mark.parametrize("begun", [b"", HEALTH[:10]])
async def test_who_does_not_say_what_it_wants_is_told_after_a_moment(begun: bytes) -> None:
    """It has no ten seconds, as one with a place has."""
    async with full_door(DoorLimits(connections=1, probe_within_s=0.1)) as opened:
        with trio.fail_after(10):
            assert (await opened.talk(begun)).startswith(b"HTTP/1.1 503 ")


async def test_a_crowd_that_says_nothing_does_not_keep_a_probe_out() -> None:
    """The newest is heard: the oldest of the crowd is told at once that it is full."""
    async with full_door(DoorLimits(connections=1, probes=3, probe_within_s=60)) as opened:
        crowd = [await opened.connect() for _ in range(10)]
        for early in crowd[:7]:
            assert (await read_all(early)).startswith(b"HTTP/1.1 503 ")
        assert b"hello" in await opened.talk(HEALTH)
        assert 8 == opened.journal.drops[Drop.FULL]
        for each in crowd:
            await each.aclose()


@pytest.mark.parametrize("path", [b"/stuck", b"/big"], ids=["no_answer", "unread_answer"])
async def test_a_probe_that_takes_for_ever_makes_room_for_a_newer_one(path: bytes) -> None:
    """One that waits in the application, and one that does not read its answer, whose write is shielded."""
    async with full_door(DoorLimits(connections=1, probes=1, probe_within_s=60)) as opened:
        stuck = await opened.connect()
        await stuck.send_all(PLAIN.replace(b"/hello", path))
        if path == b"/big":
            await read_until(stuck, b"HTTP/1.1 200 ")
        await trio.testing.wait_all_tasks_blocked()
        with trio.fail_after(10):
            assert b"hello" in await opened.talk(HEALTH)
            await read_all(stuck)
        await stuck.aclose()


async def test_who_has_no_place_does_not_keep_the_door_from_closing() -> None:
    """It is told to go at once."""
    async with full_door(DoorLimits(connections=1, probe_within_s=60, stop_within_s=60)) as opened:
        async with await opened.connect() as silent:
            await trio.testing.wait_all_tasks_blocked()
            opened.door.close()
            with trio.fail_after(10):
                assert (await read_all(silent)).startswith(b"HTTP/1.1 503 ")


@pytest.mark.parametrize("secure", [False, True], ids=["clear", "tls"])
async def test_a_supervisor_does_not_take_a_full_server_for_a_dead_one(tmp_path: Path, *, secure: bool) -> None:
    """What it looks at before it starts a server anew is answered, however long that is full."""
    tls = Tls(TlsFiles(*write_certificate(tmp_path))) if secure else None
    async with full_door(tls=tls) as opened:
        look = partial(answers_at, "localhost", opened.port, unverified() if secure else None)
        with trio.fail_after(10):
            assert [True] * 3 == [await look() for _ in range(3)]
    assert {Drop.FULL, Drop.ADDRESS_FULL}.isdisjoint(opened.journal.drops)


async def test_a_full_door_tells_so_within_tls_too(tmp_path: Path) -> None:
    """Before, nothing was said there."""
    async with full_door(tls=Tls(TlsFiles(*write_certificate(tmp_path)))) as opened:
        raw = await opened.connect()
        async with trio.SSLStream(raw, unverified(), server_hostname="localhost", https_compatible=True) as stream:
            await stream.send_all(PLAIN)
            assert b"HTTP/1.1 503 " in await read_until(stream, b"connections.")
