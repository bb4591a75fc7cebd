"""Messages read by who wants them, and by trio-websocket as soon as anything else comes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import memory_stream_pair

from actors.connection.commands import BadInput, Ping
from scoreboard.live.commands import command_of
from scoreboard.live.guard import PORTION
from scoreboard.live.inbox import Inbox
from scoreboard.live.opened import opened
from scoreboard.live.stream import FeedStream
from tests.live.wire import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame, text

LONGEST = 200
SAID = '{"event":"ping","data":{"n":%d}}'


def said(number: int) -> bytes:
    """A command that can be told from others."""
    return text(SAID % number)


async def heard(*pieces: bytes) -> tuple[list[object], bool]:
    """What the inbox makes of these pieces and the end behind them; whether trio-websocket had to read."""
    client, server = memory_stream_pair()
    taken_over: list[bool] = []
    found: list[object] = []
    async with trio.open_nursery() as nursery:
        stream = FeedStream(server)

        def take_over():  # type: ignore[no-untyped-def]  # noqa: ANN202
            taken_over.append(True)
            return opened(nursery, stream, max_message_size=LONGEST)

        nursery.start_soon(_say, client, pieces)
        async for command in Inbox(stream, take_over, LONGEST, command_of):
            found.append(command)  # noqa: PERF401
        nursery.cancel_scope.cancel()
    return found, taken_over != []


async def _say(client: trio.abc.Stream, pieces: tuple[bytes, ...]) -> None:
    for piece in pieces:
        await client.send_all(piece)
        await trio.testing.wait_all_tasks_blocked()
    await client.aclose()


class _Steps(trio.abc.Instrument):
    """Counts the turns of one task."""

    def __init__(self) -> None:
        self.task: trio.lowlevel.Task | None = None
        self.count = 0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self.count += task is self.task


@asynccontextmanager
async def talking() -> AsyncIterator[tuple[trio.SocketStream, FeedStream, Inbox[object]]]:
    """A client's socket, the server's stream on the other end, and the inbox of all that comes there."""
    ours, theirs = trio.socket.socketpair()
    async with trio.SocketStream(theirs) as client, trio.SocketStream(ours) as server:
        stream = FeedStream(server)
        yield client, stream, Inbox(stream, lambda: pytest.fail("trio-websocket is not needed"), LONGEST, command_of)


async def turns_of_reading(count: int, *, at_once: bool) -> int:
    """So many messages; how many turns their reader takes once it waits for the first."""
    steps = _Steps()

    async def read() -> None:
        steps.task = trio.lowlevel.current_task()
        for number in range(count):
            assert await anext(inbox) == Ping(b'{"n":%d}' % number)

    said_all = [said(number) for number in range(count)]
    async with talking() as (client, _, inbox):
        trio.lowlevel.add_instrument(steps)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(read)
            for piece in [b"".join(said_all)] if at_once else said_all:
                await trio.testing.wait_all_tasks_blocked()
                await client.send_all(piece)
        trio.lowlevel.remove_instrument(steps)
    return steps.count


async def test_a_message_from_a_socket_costs_its_reader_one_turn() -> None:
    """The wait for it has been one; games send thousands a second."""
    assert await turns_of_reading(5, at_once=False) == 5


async def test_of_many_messages_at_once_a_few_are_read_in_one_turn() -> None:
    """Then others have theirs: one client's messages, however many, hold up nobody."""
    assert await turns_of_reading(PORTION - 1, at_once=True) == 1
    assert await turns_of_reading(3 * PORTION - 1, at_once=True) == 3


async def test_a_connection_that_breaks_has_ended() -> None:
    """A client that is cut off is no fault of the server's."""
    async with talking() as (client, stream, inbox):
        await client.send_all(said(0))
        assert [await anext(inbox)] == pings(0)
        assert stream.write_now(said(1))  # it is never read, so the kernel tells of the end as of a reset
        await client.aclose()
        await _require_end(inbox)


async def test_a_stream_that_was_closed_has_ended() -> None:
    """Whoever closes a connection may look once more for what has come."""
    async with talking() as (_, stream, inbox):
        await stream.aclose()
        await _require_end(inbox)


async def _require_end(inbox: Inbox[object]) -> None:
    with pytest.raises(StopAsyncIteration):
        await anext(inbox)
    assert inbox.has_ended


def pings(*numbers: int) -> list[object]:
    """The commands that `said` says."""
    return [Ping(b'{"n":%d}' % number) for number in numbers]


async def test_whole_messages_come_without_trio_websocket() -> None:
    """Several at once, one by one, and with pongs between them; an end without a word needs it no more than they do."""
    many = b"".join(said(number) for number in range(20))
    assert await heard(many, said(20), frame(PONG, b"x"), said(21)) == (pings(*range(22)), False)


TWO = said(2)
PARTS = (SAID % 2)[:9].encode(), (SAID % 2)[9:].encode()


@pytest.mark.parametrize(
    ("other", "numbers"),
    [
        ((frame(PING, b"?"),), []),
        ((frame(TEXT, PARTS[0], fin=False), frame(CONTINUATION, PARTS[1])), [2]),
        ((TWO[:3], TWO[3:]), [2]),
        ((TWO[:-1], TWO[-1:] + said(3)), [2, 3]),
    ],
)
async def test_from_the_first_other_thing_on_nothing_is_lost(other: tuple[bytes, ...], numbers: list[int]) -> None:
    """Fragments, halves and pings, also behind a whole message in one read; what follows is heard in order."""
    found, taken_over = await heard(said(0), said(1) + other[0], *other[1:], said(4), said(5))
    assert (found, taken_over) == (pings(0, 1, *numbers, 4, 5), True)


async def test_the_longest_message_is_no_reason_for_trio_websocket() -> None:
    """One more character is."""
    found = [await heard(text("x" * length)) for length in (LONGEST, LONGEST + 1)]
    assert [(1, False), (0, True)] == [(len(commands), taken_over) for commands, taken_over in found]


async def test_a_message_that_is_too_long_and_all_behind_it_is_not_heard() -> None:
    """Trio-websocket closes the connection for it."""
    assert (await heard(said(0), text("x" * (LONGEST + 1)) + said(1)))[0] == pings(0)


async def test_what_came_before_a_close_is_heard() -> None:
    """Nothing behind it; a binary message is a command that is none."""
    found, _ = await heard(said(0) + frame(BINARY, b"x") + frame(CLOSE, b"\x03\xe8") + said(1))
    assert found[:1] == pings(0)
    assert isinstance(found[1], BadInput)
    assert len(found) == 2
