"""The stream under trio-websocket: bytes in order, whole frames, nothing kept for long."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock, memory_stream_pair, wait_all_tasks_blocked
from wsproto.connection import Connection, ConnectionType
from wsproto.events import TextMessage

from scoreboard.live.frames import close_frame, text_frame
from scoreboard.live.guard import PORTION, FrameGuard, FrameLimits, FrameViolation
from scoreboard.live.shares import FrameRate
from scoreboard.live.stream import FeedStream
from tests.live.wire import CONTINUATION, PONG, TEXT, frame


@asynccontextmanager
async def _feed(
    *, buffer: int | None = None, rest: bytes = b"", guard: FrameGuard | None = None
) -> AsyncGenerator[tuple[FeedStream, trio.SocketStream]]:
    """A feed over a real socket, already answered, and its client; both kernel buffers as small as they come."""
    near, far = trio.socket.socketpair()
    if buffer is not None:
        near.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_SNDBUF, buffer)
        far.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_RCVBUF, buffer)
    client = trio.SocketStream(far)
    async with trio.SocketStream(near) as transport, client, trio.open_nursery() as nursery:
        feed = FeedStream(transport, rest, guard)
        feed.when_busy(lambda: nursery.start_soon(_finish, feed))
        yield feed, client
        nursery.cancel_scope.cancel()


async def _finish(feed: FeedStream) -> None:
    """As a connection's helper does."""
    with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
        await feed.drained()


def _fill(feed: FeedStream, frame: bytes) -> int:
    """Write until the client is behind; how many were taken."""
    taken = 0
    while feed.write_now(frame):
        taken += 1
    return taken


async def test_a_ready_frame_is_out_before_write_now_returns() -> None:
    """No task of ours has to run for it."""
    async with _feed() as (feed, client):
        assert feed.write_now(text_frame(b"now"))
        assert text_frame(b"now") == await client.receive_some()
        assert repr(feed) == "<FeedStream open, 0 bytes pending>"


async def test_a_client_that_does_not_read_gets_no_more_and_costs_one_frame_at_most() -> None:
    """What the socket did not take of the last frame is kept; the next frame is refused whole, at once."""
    big = text_frame(b"x" * 3000)
    async with _feed(buffer=1) as (feed, client):
        taken = _fill(feed, big)
        assert taken >= 1
        assert not feed.write_now(big)
        assert len(feed._pending) < len(big)
        received = b""
        while len(received) < taken * len(big):
            received += await client.receive_some()
        assert big * taken == received
        await feed.drained()
        assert feed.write_now(b"again")
        assert b"again" == await client.receive_some()


@pytest.mark.parametrize("how", ["filled", "sent more than fits", "finished", "closed", "closing", "given up"])
async def test_who_writes_directly_is_told_when_it_may_no_more(how: str) -> None:
    """At the moment at which something else is on its way, or nothing more may be sent."""
    async with _feed(buffer=1) as (feed, _), trio.open_nursery() as nursery:
        told: list[str] = []
        feed.when_busy(lambda: told.append(how))
        send = feed.direct
        assert send is not None
        assert send(b"x") == 1
        match how:
            case "filled":
                _fill(feed, b"x" * 3000)
            case "sent more than fits":
                nursery.start_soon(feed.send_all, b"x" * 100_000)
            case "finished":
                feed.finish(b"x")
            case "closed":
                await feed.send_all(close_frame(1000))
            case "closing":
                await feed.aclose()
            case "given up":
                feed.give_up()
        await wait_all_tasks_blocked()
        assert feed.direct is None
        assert set(told) == {how}
        nursery.cancel_scope.cancel()


async def test_drained_waits_for_a_client_that_is_only_full() -> None:
    """Otherwise who waits for it and tries again would spin."""
    async with _feed(buffer=1) as (feed, client), trio.open_nursery() as nursery:
        _fill(feed, b"x")
        nursery.start_soon(feed.drained)
        await wait_all_tasks_blocked()
        assert len(nursery.child_tasks) == 1
        with trio.fail_after(2):
            while nursery.child_tasks:
                await client.receive_some()
                await wait_all_tasks_blocked()


async def test_nothing_overtakes_a_write_in_progress() -> None:
    """A pong that the socket has not taken yet makes ready frames wait, and the other way round."""
    async with _feed(buffer=1) as (feed, client), trio.open_nursery() as nursery:
        nursery.start_soon(feed.send_all, b"p" * 100_000)
        await wait_all_tasks_blocked()
        assert not feed.write_now(b"frame")
        nursery.start_soon(feed.send_all, b"second")
        received = b""
        while not received.endswith(b"second"):
            received += await client.receive_some()
    assert b"p" * 100_000 + b"second" == received


async def test_a_cancelled_send_is_finished_by_others() -> None:
    """Once begun, a frame goes out whole, and what comes later comes behind it."""
    async with _feed(buffer=1) as (feed, client), trio.open_nursery() as nursery:
        with trio.CancelScope() as scope:
            nursery.start_soon(_cancel_soon, scope)
            await feed.send_all(b"p" * 100_000)
        nursery.start_soon(feed.send_all, b"second")
        received = b""
        while not received.endswith(b"second"):
            received += await client.receive_some()
    assert b"p" * 100_000 + b"second" == received


async def _cancel_soon(scope: trio.CancelScope) -> None:
    await wait_all_tasks_blocked()
    scope.cancel()


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 9000), min_size=1, max_size=30),
    ways=st.lists(st.sampled_from(["now", "send", "cancelled"]), min_size=30, max_size=30),
    reads=st.lists(st.integers(1, 5000), min_size=1, max_size=5),
)
def test_frames_arrive_whole_and_in_order_however_they_were_written(
    sizes: list[int], ways: list[str], reads: list[int]
) -> None:
    """Ready frames, trio-websocket's and cancelled ones mixed, through a socket that takes little at a time."""
    trio.run(_mixed, sizes, ways, reads)


async def _mixed(sizes: list[int], ways: list[str], reads: list[int]) -> None:
    taken: list[str] = []
    perhaps: list[str] = []
    reader = Connection(ConnectionType.CLIENT)
    got: list[str] = [""]

    async def read(client: trio.SocketStream) -> None:
        turn = 0
        async with client:
            while data := await client.receive_some(reads[turn % len(reads)]):
                turn += 1
                reader.receive_data(data)
                for event in reader.events():
                    if isinstance(event, TextMessage):
                        got[-1] += event.data
                        if event.message_finished:
                            got.append("")

    async with _feed(buffer=1) as (feed, client), trio.open_nursery() as nursery:
        nursery.start_soon(read, client)
        for number, (size, way) in enumerate(zip(sizes, ways, strict=False)):
            text = f"{number}:" + "x" * size
            certain = await _write(feed, way, text_frame(text.encode()))
            (perhaps if certain is None else taken if certain else []).append(text)
        await feed.drained()
        await feed.say_goodbye(1000)
        feed.give_up()
    assert got.pop() == ""
    assert taken == [text for text in got if text not in perhaps]
    assert got == sorted(got, key=lambda text: int(text.partition(":")[0]))


async def _write(feed: FeedStream, way: str, data: bytes) -> bool | None:
    """Write in this way; whether it was taken, None when that is left open."""
    if way == "now":
        return feed.write_now(data)
    with trio.CancelScope() as scope:
        if way == "cancelled":
            scope.cancel()
        await feed.send_all(data)
    return None if scope.cancelled_caught else True


async def test_after_a_failed_write_nothing_more_is_sent() -> None:
    """`write_now` says no instead of raising; the others say that the connection is broken."""
    async with _feed() as (feed, client):
        await client.aclose()
        while feed.write_now(b"x"):
            pass
        with pytest.raises(trio.BrokenResourceError):
            await feed.drained()
        with pytest.raises(trio.BrokenResourceError):
            await feed.send_all(b"x")
        assert repr(feed) == "<FeedStream broken, 0 bytes pending>"


async def test_after_a_close_frame_nothing_more_is_sent() -> None:
    """RFC 6455 allows no data behind it."""
    async with _feed() as (feed, client):
        await feed.send_all(close_frame(1001))
        assert not feed.write_now(b"x")
        with pytest.raises(trio.ClosedResourceError):
            await feed.drained()
        await feed.say_goodbye(1000)
        feed.give_up()
        assert [close_frame(1001), b""] == [await client.receive_some(), await client.receive_some()]


async def test_a_closed_stream_never_writes_to_a_descriptor_of_somebody_else() -> None:
    """The number of a closed descriptor is soon the number of another client's."""
    async with _feed() as (feed, client):
        transport = feed._transport
        assert isinstance(transport, trio.SocketStream)
        number = transport.socket.fileno()
        await transport.aclose()
        other, stranger = trio.socket.socketpair()
        with other, stranger:
            assert number in {other.fileno(), stranger.fileno()}
            assert not feed.write_now(b"x")
        assert b"" == await client.receive_some()


async def test_saying_goodbye_finishes_what_was_taken() -> None:
    """The close frame comes behind it, with the code."""
    async with _feed(buffer=1) as (feed, client), trio.open_nursery() as nursery:
        big = text_frame(b"x" * 5000)
        taken = _fill(feed, big)

        async def leave() -> None:
            await feed.say_goodbye(1008, "why")
            feed.give_up()

        nursery.start_soon(leave)
        received = b""
        while data := await client.receive_some():
            received += data
    assert big * taken + close_frame(1008, "why") == received


async def test_giving_up_ends_a_write_that_nobody_reads() -> None:
    """Also a shielded one."""
    async with _feed(buffer=1) as (feed, _client), trio.open_nursery() as nursery:

        async def write() -> None:
            with trio.CancelScope(shield=True), pytest.raises(trio.BrokenResourceError):
                await feed.send_all(b"x" * 1_000_000)

        nursery.start_soon(write)
        await wait_all_tasks_blocked()
        feed.give_up()


async def test_what_was_read_behind_the_handshake_comes_first() -> None:
    """Nothing of it is lost or changes its place."""
    async with _feed(rest=b"ab") as (feed, client):
        await client.send_all(b"c")
        assert [b"a", b"b", b"c"] == [await feed.receive_some(1) for _ in range(3)]


async def test_a_violation_ends_the_reading_and_leaves_the_writing() -> None:
    """So that the close frame can still say what it was."""
    async with _feed(guard=FrameGuard(FrameLimits(fragments=2))) as (feed, client):
        await client.send_all(frame(TEXT, fin=False) + frame(CONTINUATION, fin=False) * 9)
        for _ in range(2):
            with pytest.raises(trio.BrokenResourceError):
                await feed.receive_some()
        assert isinstance(feed.violation, FrameViolation)
        await feed.say_goodbye(feed.violation.code)
        assert close_frame(1008) == await client.receive_some()


async def test_a_flood_is_read_no_faster_than_allowed(autojump_clock: MockClock) -> None:
    """The client feels it in its own buffers; closing still wakes who reads."""
    async with _feed(guard=FrameGuard(FrameLimits(anybody=FrameRate(1, 0)))) as (feed, client):
        begun, flood = trio.current_time(), frame(TEXT) * 30
        await client.send_all(flood)
        while flood:
            flood = flood[len(await feed.receive_some()) :]
        assert round(trio.current_time() - begun) == 30


@pytest.mark.parametrize("way", ["receive", "receive_some"])
async def test_what_came_at_once_is_handed_on_in_portions_with_a_turn_for_others_between(way: str) -> None:
    """A read holds thousands of the smallest frames, and whoever gets them works on all of them."""
    flood = frame(PONG) * 100
    async with _feed() as (feed, client):
        await client.send_all(flood)
        while flood:
            with trio.testing.assert_checkpoints():
                portion = await getattr(feed, way)()
            assert len(frame(PONG)) * PORTION >= len(portion)
            assert flood.startswith(portion)
            flood = flood[len(portion) :]


async def test_who_gives_up_waiting_for_the_turn_of_a_portion_has_lost_nothing(autojump_clock: MockClock) -> None:
    """The next one to read is handed it, and then the rest."""
    flood = frame(TEXT) * 20
    async with _feed(guard=FrameGuard(FrameLimits(anybody=FrameRate(1, 0)))) as (feed, client):
        await client.send_all(flood)
        for patience_s in (1, 100, 1):
            with trio.move_on_after(patience_s) as waiting:
                portion = await feed.receive()
            if waiting.cancelled_caught:
                portion = await feed.receive_some()
            assert flood.startswith(portion)
            flood = flood[len(portion) :]
        assert b"" == flood


async def test_any_other_stream_serves_too() -> None:
    """Over TLS a frame is taken if nothing else waits, and a task sends it."""
    near, far = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        feed = FeedStream(near)
        feed.when_busy(lambda: nursery.start_soon(_finish, feed))
        assert feed.write_now(b"one")
        assert not feed.write_now(b"two")
        assert b"one" == await far.receive_some()
        await feed.drained()
        assert feed.write_now(b"three")
        assert b"three" == await far.receive_some()
        nursery.cancel_scope.cancel()
