"""What one client of the feed sends, or does not read, costs that client only."""

from __future__ import annotations

import pytest
import trio

from scoreboard.door import DoorLimits, Drop
from scoreboard.live import FeedLimits
from tests.live.feeds import SUBSCRIBE, open_feed
from tests.live.wire import BINARY, CONTINUATION, PING, TEXT, frame, handshake, text


async def test_a_ping_into_our_close_ends_nothing_but_its_connection() -> None:
    """trio-websocket answers it and may not; a server without a barrier ends by that."""
    async with open_feed() as live, live.client() as client, live.client() as neighbour:
        live.opened.door.close()
        assert await client.closed() == 1001
        await client.stream.send_all(frame(PING, b"?") * 3)
        await client.ended()
        assert await neighbour.closed() == 1001
    assert [] == live.opened.log.lines


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (frame(TEXT, fin=False) + frame(CONTINUATION, fin=False) * 5000, 1008),  # endless empty fragments
        (frame(TEXT, b"x" * 100, fin=False) + frame(CONTINUATION, b"x" * 16_384), 1009),
        (frame(TEXT, b"x" * 16_385), 1009),
        (frame(BINARY, b"x" * 1_000_000), 1009),
        (frame(TEXT, b"x" * 16_385) + frame(PING) + frame(TEXT, b"x" * 20_000), 1009),  # and more behind our close
        (frame(TEXT, b"\xff"), 1007),
        (frame(CONTINUATION, b"x"), 1002),
        (frame(3, b"x"), 1002),
        (frame(PING, b"x", fin=False), 1002),
        (b"\x81\x05hello", 1002),  # not masked
        (b"\xff" * 100, 1002),
        (b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", 1002),
    ],
    ids=[  # frames are masked at random, and every process that runs tests must give them the same names
        "endless empty fragments",
        "fragments too large together",
        "one byte too large",
        "much too large",
        "and more behind our close",
        "no UTF-8",
        "a continuation of nothing",
        "an unknown opcode",
        "a ping in fragments",
        "not masked",
        "garbage",
        "a request",
    ],
)
async def test_a_broken_protocol_is_answered_with_a_close_code(frames: bytes, code: int) -> None:
    """The client can read it, though it was still sending; the next client is served."""
    async with open_feed() as live:
        async with live.client() as client:
            await client.stream.send_all(frames)
            assert code == await client.closed()
            await client.ended()
        assert await live.is_serving()
    assert [] == live.opened.log.lines


async def test_a_client_that_stops_reading_delays_nobody_and_then_gets_one_fresh_board() -> None:
    """Whatever was shown meanwhile, it gets what was under way and the newest, and holds one frame at most here."""
    async with open_feed(rows=100) as live, live.client() as sleeper, live.client() as reader:
        for client in (sleeper, reader):
            await client.stream.send_all(SUBSCRIBE)
            await client.message()
        steps = 0
        while not live.counts["skipped"]:
            live.boards.show()
            steps += 1
            assert steps == (await reader.message())["data"]["version"]
        for _ in range(50):
            live.boards.show()
            await reader.message()
        seen = []
        while steps + 50 not in seen:
            seen.append((await sleeper.message())["data"]["version"])
        assert seen[-1] - seen[-2] >= 50
        live.boards.show()
        assert steps + 51 == (await sleeper.message())["data"]["version"]


async def test_a_client_that_never_reads_does_not_keep_the_server_open() -> None:
    """Our close frame finds no place; after its time the connection is ended without it."""
    limits = FeedLimits(close_within_s=0.1)
    async with open_feed(limits, rows=100) as live, live.client() as sleeper:
        await sleeper.stream.send_all(SUBSCRIBE + frame(PING) * 10)
        await live.boards.joined.wait()
        while not live.counts["skipped"]:
            live.boards.show()
        live.opened.door.close()
        with trio.fail_after(10):
            await live.opened.served.wait()
    assert Drop.STOPPED not in live.opened.journal.drops


async def test_a_client_that_only_sends_is_slowed_down_by_its_own_buffers() -> None:
    """Ten thousand pings without reading: no reader grows, and the neighbour is served at once."""
    async with open_feed() as live, live.client() as flood, live.client() as neighbour:
        with trio.move_on_after(0.3):
            await flood.stream.send_all(frame(PING, b"x" * 125) * 100_000)
        await neighbour.stream.send_all(SUBSCRIBE)
        with trio.fail_after(10):
            await neighbour.message()


async def test_a_judge_that_fails_costs_one_connection_and_is_logged() -> None:
    """In the handshake without an answer, later with 1011; both with the error itself."""
    async with open_feed() as live:
        assert b"" == await live.opened.talk(handshake(authorization="Bearer breaks"))
        async with live.client() as client:
            await client.stream.send_all(text('{"event":"authenticate","data":{"token":"breaks"}}'))
            assert await client.closed() == 1011
        assert await live.is_serving()
    assert 2 == len([line for line in live.opened.log.lines if "judge" in repr(line["exc_info"])])


@pytest.mark.parametrize("how", ["reset", "half"])
async def test_a_client_that_vanishes_leaves_its_audience(how: str) -> None:
    """With a reset, or by closing without a close frame."""
    async with open_feed() as live, live.client() as client:
        await client.stream.send_all(SUBSCRIBE)
        await client.message()
        assert isinstance(client.stream, trio.SocketStream)
        if how == "reset":
            client.stream.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            await client.stream.aclose()
        else:
            await client.stream.send_eof()
            await client.ended()
        assert await live.is_serving()
    assert [] == live.opened.log.lines


async def test_the_kernel_does_not_cut_a_client_that_has_paused() -> None:
    """The door's own deadline for unread bytes is taken away once a connection is a feed."""
    option = getattr(trio.socket, "TCP_USER_TIMEOUT", None)
    if option is None:
        pytest.skip("only Linux has this deadline")
    async with open_feed(door=DoorLimits(write_within_s=1)) as live, live.client() as client:
        await client.stream.send_all(SUBSCRIBE)
        await client.message()
        (visit,) = live.opened.door._visits
        assert isinstance(visit.stream, trio.SocketStream)
        assert 0 == visit.stream.getsockopt(trio.socket.IPPROTO_TCP, option)
        await client.leave()
