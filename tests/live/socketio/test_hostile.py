"""What clients should not do, on every way: each answered with its code, and nobody else notices."""

from __future__ import annotations

import pytest
import trio

from scoreboard.live.guard import FrameLimits
from scoreboard.live.shares import FrameRate
from scoreboard.live.socketio import SocketIoLimits
from scoreboard.live.socketio import SocketIoPlaces as PlaceLimits
from tests.door.doors import read_all
from tests.live.socketio.wire import HELLO, PATH, open_socketio, until
from tests.live.wire import CONTINUATION, TEXT, frame, handshake, text

LONG = "x" * 20_000


@pytest.mark.parametrize(
    ("method", "query", "status", "code"),
    [
        ("GET", "", 400, 0),
        ("GET", "EIO=4&transport=webtransport", 400, 0),
        ("GET", "EIO=4&transport=polling&transport=websocket", 400, 0),
        ("GET", "EIO=3&transport=polling", 400, 5),
        ("GET", "transport=polling", 400, 5),
        ("GET", "EIO=4&transport=polling&sid=unknown", 400, 1),
        ("POST", "EIO=4&transport=polling&sid=%00%ff", 400, 1),
        ("POST", "EIO=4&transport=polling", 400, 2),
        ("GET", "EIO=4&transport=websocket", 400, 3),
        ("GET", "EIO=4&transport=polling&j=0", 400, 3),
        ("GET", "EIO=4&transport=polling&sid=a&sid=b", 400, 3),
        ("GET", "&".join(f"a{count}" for count in range(100)), 400, 3),
    ],
)
async def test_a_bad_request_is_answered_with_the_code_of_engine_io(
    method: str, query: str, status: int, code: int
) -> None:
    """In its JSON, which its clients print."""
    async with open_socketio() as live:
        answer = await live.http.request(method, f"/socket.io/?{query}")
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.json()["message"]
        assert await live.is_serving()


@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD", "PATCH"])
async def test_other_methods_are_not_allowed(method: str) -> None:
    """The answer names those that are."""
    async with open_socketio() as live:
        answer = await live.http.request(method, PATH + "polling")
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST, OPTIONS")


@pytest.mark.parametrize(
    "body", [b"", b"9", b"\xff\xff", b"hello", b"\x1e\x1e", b"2probe", b"0{}", b"4" + b"\x1e3" * 64]
)
async def test_what_is_no_payload_ends_the_session(body: bytes) -> None:
    """400, and a new one has to be begun."""
    async with open_socketio() as live:
        poller = await live.begin()
        answer = await live.http.post(poller.address, content=body)
        if answer.text != "ok":  # packets that are none, or none of a client's: those are found one by one
            assert (answer.status_code, answer.json()["code"]) == (400, 3)
        assert (await live.http.get(poller.address)).json()["code"] == 1
        assert live.service.connected == 0


async def test_a_payload_that_is_too_long_is_refused_unread() -> None:
    """413; the session does not end for it."""
    async with open_socketio() as live:
        poller = await live.begin()
        answer = await live.http.post(poller.address, content=b"4" + LONG.encode())
        assert (answer.status_code, answer.json()["code"]) == (413, 3)
        await poller.connect()


async def test_a_body_that_does_not_come_is_not_waited_for_long() -> None:
    """408; nor is one that ends too early."""
    async with open_socketio(SocketIoLimits(body_within_s=0.1)) as live:
        poller = await live.begin()
        request = f"POST {poller.address} HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n42"
        async with await live.opened.connect() as stream:
            await stream.send_all(request.encode())
            assert (await read_all(stream)).startswith(b"HTTP/1.1 408 ")
        async with await live.opened.connect() as stream:
            await stream.send_all(request.encode())
            await stream.send_eof()
            assert (await read_all(stream)).startswith(b"HTTP/1.1 400 ")
        await poller.connect()


async def test_two_polls_at_once_end_the_session() -> None:
    """The second hears 400, the first that it is over."""
    async with open_socketio() as live, trio.open_nursery() as nursery:
        poller = await live.begin()
        await poller.connect()
        answers = poller.poll_in(nursery)
        session = live.service._sessions.find(poller.sid)
        assert session is not None
        await until(lambda: session._engine.polled)
        assert (await live.http.get(poller.address)).json()["code"] == 3
        await until(lambda: answers)
        assert answers == [["1"]]


async def test_two_posts_at_once_end_the_session() -> None:
    """The order of their packets would be anybody's guess."""
    async with open_socketio() as live, trio.open_nursery() as nursery:
        poller = await live.begin()
        statuses: list[int] = []

        @nursery.start_soon
        async def posting() -> None:
            statuses.append((await poller.say(HELLO + '{"token":"waits"}', "42[]")).status_code)

        session = live.service._sessions.find(poller.sid)
        assert session is not None
        await until(lambda: session._engine.posted)
        assert (await poller.say("3")).json()["code"] == 3
        await until(lambda: statuses)
        assert live.service.connected == 0


async def test_what_cannot_be_handed_on_in_time_ends_the_session() -> None:
    """A post does not wait for ever; what it brought beyond is not done."""
    async with open_socketio(SocketIoLimits(hand_on_within_s=0.1)) as live:
        poller = await live.begin()
        answer = await poller.say(HELLO + '{"token":"waits"}', "42[]")
        assert (answer.status_code, answer.json()["code"]) == (400, 3)
        assert live.service.connected == 0


@pytest.mark.parametrize(
    ("request_bytes", "status", "code"),
    [
        (handshake(PATH + "polling"), 400, b'"code":3'),
        (handshake(PATH + "websocket&sid=unknown"), 400, b'"code":1'),
        (handshake("/socket.io/?EIO=3&transport=websocket"), 400, b'"code":5'),
        (handshake("/socket.io/"), 400, b'"code":0'),
        (handshake(PATH + "websocket" + "&a=" * 63), 400, b"more than 64 fields"),
        (handshake(PATH + "websocket", origin="https://evil.example"), 403, b'"code":4'),
        (handshake(PATH + "websocket", sec_websocket_key="short"), 400, b"Sec-WebSocket-Key"),
    ],
)
async def test_a_socket_that_may_not_open_is_answered_in_http(request_bytes: bytes, status: int, code: bytes) -> None:
    """With the codes of Engine.IO where it has one."""
    async with open_socketio() as live:
        answer = await live.opened.talk(request_bytes)
        assert answer.startswith(b"HTTP/1.1 %d " % status)
        assert code in answer
        assert await live.is_serving()


#: By names, because their masks are random, and two processes of one test run must agree on what a test is called.
FRAMES = {
    "empty": (text(""), 1002),
    "no type": (text("9"), 1002),
    "no packet": (text("hello"), 1002),
    "a ping": (text("2probe"), 1002),
    "leaves before it came": (text("41"), 1002),
    "asks before it came": (text('42["ping"]'), 1002),
    "too long": (text("4" + LONG), 1009),
    "too many fragments": (frame(TEXT, b"4", fin=False) + frame(CONTINUATION, b"", fin=False) * 100, 1008),
    "no text": (frame(TEXT, b"\xff"), 1007),
    "closes": (text("1"), 1000),
}


@pytest.mark.parametrize(("said", "code"), FRAMES.values(), ids=FRAMES)
async def test_a_socket_that_says_what_it_may_not_is_closed(said: bytes, code: int) -> None:
    """With the code that says what it was; the session is over."""
    async with open_socketio() as live, live.socket() as socket:
        await socket.stream.send_all(said)
        assert await socket.closed() == code
        await until(lambda: live.service.connected == 0)
        assert live.failures == []


@pytest.mark.parametrize(
    ("packet", "code"),
    [
        ("42", "INVALID_INPUT"),
        ("42{", "INVALID_INPUT"),
        ("42[]", "INVALID_INPUT"),
        ("42[7]", "INVALID_INPUT"),
        ('42{"event":"ping"}', "INVALID_INPUT"),
        ('42["nothing"]', "INVALID_INPUT"),
        ('42["ping",1,2]', "INVALID_INPUT"),
        ('42["ping",{"a":1,"a":2}]', "INVALID_INPUT"),
        ('42["subscribe"]', "INVALID_INPUT"),
        ('42["subscribe",null]', "INVALID_INPUT"),
        ('42["subscribe",{"channel":"leaderboard.top0"}]', "UNKNOWN_CHANNEL"),
        ('42["subscribe",{"channel":"leaderboard.top10","full":1}]', "INVALID_INPUT"),
        ('42["authenticate",{"token":7}]', "INVALID_INPUT"),
        ("4" + "[" * 5000, "INVALID_INPUT"),
        ("40", "INVALID_INPUT"),
        ("4x", "INVALID_INPUT"),
    ],
)
async def test_a_harmless_mistake_is_answered_and_the_connection_kept(packet: str, code: str) -> None:
    """The same on both ways."""
    async with open_socketio() as live, live.socket() as socket:
        await socket.connect()
        await socket.say(packet)
        assert (await socket.event_of("error"))["code"] == code
        await socket.say('42["ping"]')
        assert await socket.packet() == '42["pong"]'
        poller = await live.begin()
        await poller.connect()
        assert (await poller.say(packet)).text == "ok"
        assert code in await poller.until('42["error"')


@pytest.mark.parametrize("packet", ["4310[1]", "461-1[]", "6"])
async def test_what_answers_nothing_is_passed_over(packet: str) -> None:
    """Acknowledgements of questions that were never asked, and packets that say nothing."""
    async with open_socketio() as live, live.socket() as socket:
        await socket.connect()
        await socket.say(packet, '42["ping"]')
        assert await socket.packet() == '42["pong"]'


async def test_who_sends_too_fast_is_read_more_slowly_and_then_cut() -> None:
    """On both ways; a packet that comes by polling counts as a frame."""
    frames = FrameLimits(anybody=FrameRate(200, 10), patience_s=0.1)
    async with open_socketio(SocketIoLimits(frames=frames)) as live, live.socket() as socket:
        poller = await live.begin()
        with trio.fail_after(60), pytest.raises(trio.BrokenResourceError):
            while True:  # the network holds much of it
                await socket.say(*(["3"] * 100))
        while (answer := await poller.say(*(["3"] * 60))).status_code == 200:
            pass
        assert answer.json() == {"code": 3, "message": "Frames came too fast for too long."}
        await until(lambda: live.service.connected == 0)


@pytest.mark.parametrize("limit", ["sessions", "sessions_per_address", "unconnected", "unconnected_per_address"])
async def test_only_so_many_sessions_may_be_open(limit: str) -> None:
    """In all, and from one address; whoever leaves makes room. Each one too many is counted."""
    async with open_socketio(SocketIoLimits(places=PlaceLimits(**{limit: 2}))) as live:
        poller = await live.begin()
        async with live.socket():
            full = await live.http.get(PATH + "polling")
            assert (full.status_code, full.json()["code"]) == (503, 3)
            assert (await live.opened.talk(handshake(PATH + "websocket"))).startswith(b"HTTP/1.1 503 ")
            await poller.say("1")
            await live.begin()
        await until(lambda: live.service.connected == 1)
        assert await live.is_serving()
        assert live.counts[limit] == 2


async def test_sessions_that_nobody_connects_to_leave_room_for_others() -> None:
    """Whoever connects gives up one of their few places, and whoever disconnects takes one again."""
    places = PlaceLimits(unconnected=3, unconnected_per_address=2)
    async with open_socketio(SocketIoLimits(places=places)) as live, live.socket() as one, live.socket() as two:
        await one.connect()
        await two.connect()
        pollers = [await live.begin() for _ in range(2)]
        assert (await live.http.get(PATH + "polling")).status_code == 503
        await pollers[0].connect()
        await live.begin()
        await one.say("41")
        await until(lambda: live.service._sessions._places._all_unconnected == 3)
        assert (await live.http.get(PATH + "polling")).status_code == 503
        assert live.service.connected == 5


async def test_a_crowd_that_never_connects_is_sent_away_and_counted() -> None:
    """Its places are free again after a short while; who has connected stays."""
    places = PlaceLimits(unconnected=4)
    limits = SocketIoLimits(places=places, connect_within_s=0.05)
    async with open_socketio(limits) as live, live.socket() as socket:
        await socket.connect()
        for _ in range(4):
            await live.begin()
        await until(lambda: live.service.connected == 1)
        assert live.counts["never_connected"] == 4
        assert await live.is_serving()
        await socket.say('42["ping"]')
        assert await socket.packet() == '42["pong"]'


async def test_a_client_that_vanishes_in_the_middle_leaves_nothing() -> None:
    """In its handshake, in half a frame, before and behind Socket.IO's own handshake."""
    async with open_socketio() as live:
        for said in (b"", text(HELLO), text(HELLO) + text('42["ping"]') + b"\x81"):
            async with live.socket() as socket:
                await socket.stream.send_all(said)
        async with await live.opened.connect() as stream:
            await stream.send_all(handshake(PATH + "websocket"))
        await until(lambda: live.service.connected == 0)
        assert live.failures == []
