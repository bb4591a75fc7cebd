"""The endpoint, from the handshake to the last close frame."""

from __future__ import annotations

import gc

import pytest
import trio
import trio.testing
from wsproto.events import CloseConnection

from actors.connection.connection import LiveConnection
from actors.connection.events import SESSION_ENDED
from actors.connection.screen import Screen
from scoreboard.live import FeedLimits
from scoreboard.live.stream import FeedStream
from tests.door.doors import read_all
from tests.live.feeds import SUBSCRIBE, Client, open_feed
from tests.live.wire import frame, handshake, text


async def test_a_spectator_sees_the_board_and_every_step() -> None:
    """The full update answers the subscription; each step comes once."""
    async with open_feed() as live, live.client() as client:
        await client.stream.send_all(SUBSCRIBE)
        assert (await client.message())["data"]["version"] == 0
        live.boards.show()
        message = await client.message()
        assert ("leaderboard.update", 1) == (message["event"], message["data"]["version"])
        assert live.feed.connected == 1
        await client.leave()
    assert {"sent": 1} == dict(live.counts)
    assert 1 == live.boards.delivered
    assert [] == live.opened.log.lines


async def test_a_client_that_has_left_is_gone_without_the_garbage_collector() -> None:
    """A collection of everything holds the loop for more than a second beside ten thousand other clients."""
    gc.collect()  # what other tests have left
    gc.disable()
    try:
        async with open_feed() as live:
            async with live.client() as client:
                await client.stream.send_all(SUBSCRIBE)
                await client.message()
                await client.leave()
                await client.ended()
            await trio.testing.wait_all_tasks_blocked()
            assert 0 == live.opened.door.connections
            assert [] == [each for each in gc.get_objects() if type(each) in {FeedStream, LiveConnection, Screen}]
    finally:
        gc.enable()


async def test_every_command_is_answered() -> None:
    """Also the one that is none; the connection is kept."""
    async with open_feed() as live, live.client() as client:
        for command, answer in [
            ('{"event":"ping","data":{"t":1}}', {"event": "pong", "data": {"t": 1}}),
            ("{", "INVALID_INPUT"),
            ('{"event":"subscribe","data":{"channel":"x"}}', "UNKNOWN_CHANNEL"),
            ('{"event":"authenticate","data":{"token":"bad"}}', "UNAUTHORIZED"),
            (
                '{"event":"authenticate","data":{"token":"Bearer good"}}',
                {"event": "authenticated", "data": {"userId": "u1", "username": "ann"}},
            ),
            (
                '{"event":"unsubscribe","data":{"channel":"leaderboard.top10"}}',
                {"event": "unsubscribed", "data": {"channel": "leaderboard.top10"}},
            ),
        ]:
            await client.stream.send_all(text(command))
            message = await client.message()
            assert answer in (message, message["data"].get("code"))
        await client.leave()


async def test_document_as_address_shows_the_first_ten_without_being_asked() -> None:
    """In its own words, each step once for all who listen to them."""
    async with open_feed() as live, live.client("/ws") as client, live.client("/ws") as other:
        for each in (client, other):
            message = await each.message()
            assert (message["event"], message["data"]["type"]) == ("leaderboard_update", "full")
        live.boards.show()
        assert [1, 1] == [(await each.message())["data"]["version"] for each in (client, other)]
        await client.stream.send_all(text('{"event":"ping"}') + text("{") + frame(2, b"x") + text('{"event":"x"}'))
        assert [(await client.message())["event"] for _ in range(4)] == ["pong", "error", "error", "error"]
        await client.stream.send_all(text('{"event":"authenticate","data":{"token":"bad"}}'))
        assert (await client.message())["data"]["code"] == "AUTH_FAILED"
        await client.leave()
        await other.leave()
    assert 2 == live.boards.delivered


async def test_a_player_is_signed_in_by_the_handshake() -> None:
    """With a token in its header; the answer is an ordinary 101."""
    async with open_feed() as live, live.client(authorization="Bearer good") as client:
        await client.leave()


async def test_a_connection_is_closed_with_the_session_of_its_player() -> None:
    """With a code of its own, behind what it was told; who only watches stays."""
    async with open_feed() as live, live.client(authorization="Bearer good") as client, live.client() as spectator:
        await client.stream.send_all(SUBSCRIBE)
        assert (await client.message())["event"] == "leaderboard.update"
        live.signins.end_session("")
        assert (await client.message())["data"]["code"] == "TOKEN_REVOKED"
        assert await client.closed() == SESSION_ENDED
        await client.ended()
        await spectator.leave()
    assert [] == live.opened.log.lines


@pytest.mark.parametrize("path", ["/ws", "/ws/leaderboard"])
async def test_a_ticket_in_the_address_signs_in_once(path: str) -> None:
    """For browsers, whose WebSockets send no header; a handshake that is refused for itself does not use it up."""
    async with open_feed() as live:
        bad = handshake(f"{path}?ticket=once", sec_websocket_version="7")
        assert (await live.opened.talk(bad)).startswith(b"HTTP/1.1 426 ")
        both = handshake(f"{path}?ticket=once", authorization="Bearer good")
        assert (await live.opened.talk(both)).startswith(b"HTTP/1.1 401 ")
        async with live.client(f"{path}?ticket=once") as client:
            await client.leave()
        assert (await live.opened.talk(handshake(f"{path}?ticket=once"))).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (handshake("/ws/other"), b"404"),
        (handshake(sec_websocket_version="7"), b"426"),
        (handshake(authorization="Bearer bad"), b"401"),
        (handshake(authorization="Bearer waits"), b"503"),
        (handshake(origin="https://evil.example"), b"403"),
    ],
)
async def test_a_handshake_that_is_refused_is_answered_in_http(request_bytes: bytes, status: bytes) -> None:
    """The door and the next client do not notice."""
    async with open_feed(FeedLimits(open_within_s=0.1)) as live:
        answer = await live.opened.talk(request_bytes)
        assert answer.startswith(b"HTTP/1.1 " + status)
        assert await live.is_serving()
    assert [] == live.opened.log.lines


async def test_frames_sent_before_the_handshake_was_answered_are_not_lost() -> None:
    """They come in one piece with it, or before it is judged."""
    async with open_feed() as live, await live.opened.connect() as stream:
        await stream.send_all(handshake() + SUBSCRIBE + SUBSCRIBE)
        client = Client(stream)
        await client.handshake()
        assert ["leaderboard.update"] * 2 == [(await client.message())["event"] for _ in range(2)]


async def test_clients_of_a_server_that_is_renewed_are_told_when_to_come_back() -> None:
    """1012, and the seconds in the reason; who is still there at the end hears the same."""
    async with open_feed() as live, live.client() as client, live.client() as other, trio.open_nursery() as nursery:
        await client.stream.send_all(SUBSCRIBE)
        await client.message()
        delays = iter((1.44, 0.5))
        nursery.start_soon(live.feed.send_home, 0.2, lambda: next(delays))
        ends = [await client.event(), await other.event()]
    closings = {(end.code, end.reason) for end in ends if isinstance(end, CloseConnection)}
    assert {(1012, "retryAfter=1.4"), (1012, "retryAfter=0.5")} == closings


async def test_clients_are_told_to_come_back_when_the_server_goes() -> None:
    """1001, and the end of the connection without waiting for long."""
    async with open_feed() as live, live.client() as client, live.client() as other:
        await client.stream.send_all(SUBSCRIBE)
        await client.message()
        live.opened.door.close()
        assert [1001, 1001] == [await client.closed(), await other.closed()]
        await client.stream.send_all(frame(8, b"\x03\xe9"))
        await client.ended()
        await other.stream.aclose()


async def test_the_server_may_go_while_a_client_is_still_being_judged() -> None:
    """Its handshake is bounded, and then it is told."""
    async with open_feed(FeedLimits(open_within_s=0.1)) as live, await live.opened.connect() as stream:
        await stream.send_all(handshake(authorization="Bearer waits"))
        live.opened.door.close()
        assert (await read_all(stream)).startswith(b"HTTP/1.1 503 ")


async def test_a_close_frame_may_follow_a_close_frame_of_the_client() -> None:
    """Both sides close at once: nobody waits for the other."""
    async with open_feed(FeedLimits(close_within_s=60)) as live, live.client() as client:
        live.opened.door.close()
        await client.stream.send_all(frame(8, b"\x03\xe8"))
        event = await client.event()
        assert isinstance(event, CloseConnection)
        await client.ended()
