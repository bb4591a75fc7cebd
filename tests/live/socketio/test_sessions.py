"""Clients of Socket.IO at a real door, on both ways and from one to the other."""

from __future__ import annotations

import json

import httpx
import pytest
import trio
import trio.testing

from scoreboard.live.socketio import SocketIoLimits, SocketIoPatience
from tests.live.socketio.wire import HELLO, PATH, open_socketio, until
from tests.live.wire import BINARY, CLOSE, PING, frame

SUBSCRIBE = '42["subscribe",{"channel":"leaderboard.top10"}]'
QUICK = SocketIoLimits(patience=SocketIoPatience(0.05, 10.0))


async def test_a_handshake_tells_what_the_protocol_has() -> None:
    """Its id, where it may go from here, the times of pings, the longest message."""
    async with open_socketio() as live, live.socket() as socket:
        poller = await live.begin()
        common = {"pingInterval": 25_000, "pingTimeout": 30_000, "maxPayload": 16 * 1024}
        assert poller.told == {"sid": poller.sid, "upgrades": ["websocket"], **common}
        assert socket.told == {"sid": socket.told["sid"], "upgrades": [], **common}
        assert len({poller.sid, socket.told["sid"]}) == 2
        assert all(len(sid) > 40 and sid.startswith("00") for sid in (poller.sid, socket.told["sid"]))


async def test_who_connects_sees_the_board_of_document_a() -> None:
    """Whole, at once and at every step, unasked."""
    async with open_socketio() as live, live.socket() as socket:
        await socket.say(HELLO)
        assert (await socket.packet()).startswith('40{"sid":')
        first = await socket.event_of("leaderboard_update")
        assert (first["type"], first["version"], [row["rank"] for row in first["data"]]) == ("full", 0, [1])
        live.boards.show()
        assert (await socket.event_of("leaderboard_update"))["version"] == 1


async def test_who_subscribes_sees_document_b_from_then_on() -> None:
    """And nothing of document A any more; `unsubscribe` ends that too."""
    async with open_socketio() as live, live.socket() as socket:
        await socket.connect()
        await socket.say(SUBSCRIBE)
        assert (await socket.event_of("leaderboard.update"))["version"] == 0
        live.boards.show()
        packet = await socket.packet()
        assert packet.startswith('42["leaderboard.update"')
        assert json.loads(packet[2:])[1]["version"] == 1
        await socket.say('42["unsubscribe",{"channel":"leaderboard.top10"}]', '42["ping",7]')
        assert await socket.packet() == '42["unsubscribed",{"channel":"leaderboard.top10"}]'
        live.boards.show()
        assert await socket.packet() == '42["pong",7]'


async def test_polling_is_the_same_talk() -> None:
    """Packets in requests, answers in others, several at a time."""
    async with open_socketio() as live:
        poller = await live.begin()
        await poller.connect()
        await poller.say('42["ping"]', SUBSCRIBE)
        await poller.until('42["leaderboard.update"')
        assert '42["pong"]' in poller.got
        live.boards.show()
        assert json.loads((await poller.until('42["leaderboard.update"'))[2:])[1]["version"] == 1
        assert (await poller.say("1")).text == "ok"
        assert (await live.http.get(poller.address)).json()["code"] == 1


@pytest.mark.parametrize("token", ["good", "Bearer good", "bearer  good"])
async def test_a_good_token_is_taken_with_and_without_its_word(token: str) -> None:
    """As both documents' clients send it."""
    async with open_socketio() as live, live.socket() as socket:
        await socket.connect(json.dumps({"token": token}))


@pytest.mark.parametrize("auth", ["", "{}", '{"token":null}', '{"token":""}', '{"token":"","full":true}'])
async def test_nobody_in_particular_may_watch(auth: str) -> None:
    """As on the rest of the live feed."""
    async with open_socketio() as live, live.socket() as socket:
        await socket.connect(auth)


@pytest.mark.parametrize(
    ("token", "code"), [('"bad"', "UNAUTHORIZED"), ('"Bearer bad"', "UNAUTHORIZED"), ("7", "INVALID_INPUT")]
)
async def test_a_bad_token_is_refused_and_told_why(token: str, code: str) -> None:
    """The session stays for another try."""
    async with open_socketio() as live, live.socket() as socket:
        await socket.say(HELLO + f'{{"token":{token}}}')
        answer = await socket.packet()
        assert answer.startswith("44")
        told = json.loads(answer[2:])
        assert told["message"].startswith("Authentication failed: ")
        assert told["data"] == {"code": code}
        await socket.connect('{"token":"good"}')


async def test_a_judge_that_fails_costs_one_session() -> None:
    """It is told, and the next client does not notice."""
    async with open_socketio() as live, live.socket() as socket:
        await socket.say(HELLO + '{"token":"breaks"}')
        assert await socket.closed() == 1011
        assert len(live.failures) == 1
        assert await live.is_serving()


async def test_signing_in_later_is_answered_in_the_words_of_document_a() -> None:
    """Until the client subscribes to something."""
    async with open_socketio() as live, live.socket() as socket:
        await socket.connect()
        await socket.say('42["authenticate",{"token":"bad"}]', '42["authenticate",{"token":"Bearer good"}]')
        assert await socket.event_of("error") == {"code": "AUTH_FAILED", "message": "No."}
        assert await socket.event_of("authenticated") == {"userId": "u1", "username": "ann"}
        await socket.say(SUBSCRIBE, '42["authenticate",{"token":"bad"}]')
        assert await socket.event_of("error") == {"code": "UNAUTHORIZED", "message": "No."}


async def test_differences_come_to_who_asks_for_them() -> None:
    """In `auth` for the board of document A, in `subscribe` for channels of document B; here as a lane of its own."""
    async with open_socketio() as live, live.socket() as one, live.socket() as other:
        await one.connect('{"full":false}')
        await other.connect()
        await other.say('42["subscribe",{"channel":"leaderboard.top10","full":false}]')
        await other.event_of("leaderboard.update")
        live.boards.show()
        await one.event_of("leaderboard_update")
        assert set(live.boards.watching._lanes) >= {("socketio-a", False), ("socketio-b", False)}


async def test_an_acknowledgement_is_given_to_who_awaits_one() -> None:
    """With what the answer would have been, or with the error, or with nothing; once each."""
    async with open_socketio() as live, live.socket() as socket:
        await socket.connect()
        await socket.say('421["ping",{"a":1}]', '422["subscribe",{"channel":"nowhere"}]', '423["ping"]')
        assert await socket.packet() == '431[{"a":1}]'
        assert (await socket.packet()).startswith('432[{"error":{"code":"UNKNOWN_CHANNEL"')
        assert await socket.packet() == "433[{}]"
        await socket.say('424["subscribe",{"channel":"leaderboard.top10"}]', '42["ping"]')
        assert (await socket.packet()).startswith('42["leaderboard.update"')
        assert await socket.packet() == "434[{}]"
        assert await socket.packet() == '42["pong"]'


async def test_scoring_goes_by_acknowledgements() -> None:
    """Whoever has not signed in hears so; without a function to call back there is no answer to give."""
    async with open_socketio() as live, live.socket() as socket:
        await socket.connect()
        await socket.say('425["action.token"]', '42["action.token"]', '426["score.increment",{"actionToken":7}]')
        assert (await socket.packet()).startswith('435[{"error":{"code":"AUTH_FAILED"')
        assert "callback" in (await socket.event_of("error"))["message"]
        assert (await socket.packet()).startswith('436[{"error":{"code":"INVALID_INPUT"')
        await socket.say('42["ping"]')
        assert await socket.packet() == '42["pong"]'


async def test_other_namespaces_are_refused() -> None:
    """Before and after the only one was joined; nothing else of them is answered."""
    async with open_socketio() as live, live.socket() as socket:
        await socket.say("40/admin,{}")
        assert await socket.packet() == '44/admin,{"message":"Invalid namespace"}'
        await socket.connect()
        await socket.say("40/admin,{}", '42/admin,["ping"]', '42["ping"]')
        assert await socket.packet() == '44/admin,{"message":"Invalid namespace"}'
        assert await socket.packet() == '42["pong"]'


async def test_one_may_leave_socket_io_and_come_again_in_the_same_session() -> None:
    """Nothing of the boards is said between."""
    async with open_socketio() as live, live.socket() as socket:
        await socket.connect()
        await socket.say("41")
        await until(lambda: not live.boards.watching)
        live.boards.show()
        await socket.connect()


async def test_pings_are_sent_and_their_answers_taken() -> None:
    """On both ways, and none is missed while the way changes."""
    async with open_socketio(QUICK) as live, live.socket() as socket:
        poller = await live.begin()
        for _ in range(2):
            assert await socket.packet() == "2"
            await socket.say("3")
            await poller.until("2")
            assert (await poller.say("3")).text == "ok"


async def test_who_gives_no_sign_of_life_is_cut() -> None:
    """The session of a poller is unknown then; a socket is closed, and the code says that it may come again."""
    async with open_socketio(SocketIoLimits(patience=SocketIoPatience(0.05, 0.05))) as live, live.socket() as socket:
        poller = await live.begin()
        assert await socket.closed() == 1008
        await until(lambda: live.service.connected == 0)
        assert (await live.http.get(poller.address)).json()["code"] == 1


async def test_who_never_says_who_it_is_is_cut() -> None:
    """A session without a client of Socket.IO serves nobody."""
    async with open_socketio(SocketIoLimits(connect_within_s=0.05)) as live, live.socket() as socket:
        assert await socket.closed() == 1008


async def test_an_upgrade_under_traffic_loses_and_doubles_nothing() -> None:
    """Every step of the board comes once, in order, whichever way it came; and so does every answer."""
    async with open_socketio() as live:
        poller = await live.begin()
        await poller.connect()
        async with trio.open_nursery() as nursery, live.socket(poller.sid) as socket:

            @nursery.start_soon
            async def moving() -> None:
                for _ in range(20):
                    live.boards.show()
                    await trio.testing.wait_all_tasks_blocked()

            await socket.say("2probe")
            assert await socket.packet() == "3probe"
            await poller.say('42["ping",1]')
            while "6" not in await poller.poll():
                pass
            await socket.say("5", '42["ping",2]')
            packets = list(poller.got)
            while not any('"version":20,' in packet for packet in packets) or '42["pong",2]' not in packets:
                packets.append(await socket.packet())
    versions = [json.loads(packet[2:])[1]["version"] for packet in packets if packet.startswith('42["leaderboard_')]
    assert versions == list(range(21))
    assert [packet for packet in packets if packet.startswith('42["pong"')] == ['42["pong",1]', '42["pong",2]']


async def test_a_poll_that_waits_ends_when_the_way_changes() -> None:
    """It is answered with nothing, and what waits goes by the socket."""
    async with open_socketio() as live, trio.open_nursery() as nursery:
        poller = await live.begin()
        await poller.connect()
        answers = poller.poll_in(nursery)
        async with live.socket(poller.sid) as socket:
            await socket.say("2probe")
            assert await socket.packet() == "3probe"
            await until(lambda: answers)
            assert answers == [["6"]]
            await socket.say("5")
            live.boards.show()
            assert (await socket.event_of("leaderboard_update"))["version"] == 1
        await until(lambda: live.service.connected == 0)  # the socket is all it had


async def test_a_socket_that_fails_to_take_over_leaves_the_poller_alone() -> None:
    """It is closed, and polling goes on."""
    async with open_socketio() as live:
        poller = await live.begin()
        await poller.connect()
        async with live.socket(poller.sid) as socket:
            await socket.say("4early")
            assert await socket.closed() == 1000
        live.boards.show()
        await poller.until('42["leaderboard_update"')


async def test_a_session_has_one_socket() -> None:
    """Another one is closed at once, and the first does not notice."""
    async with open_socketio() as live, live.socket() as socket:
        await socket.connect()
        async with live.socket(socket.told["sid"]) as other:
            assert await other.closed() == 1000
        await socket.say('42["ping"]')
        assert await socket.packet() == '42["pong"]'


async def test_clients_are_told_to_come_back_when_the_server_goes() -> None:
    """A socket closes with 1001; a poll that waits is answered with a packet that closes; nobody new may begin."""
    async with open_socketio() as live, live.socket() as socket, trio.open_nursery() as nursery:
        poller = await live.begin()
        await poller.connect()
        await socket.connect()
        answers = poller.poll_in(nursery)
        session = live.service._sessions.find(poller.sid)
        assert session is not None
        await until(lambda: session._engine.polled)
        live.opened.door.close()
        assert await socket.closed() == 1001
        await until(lambda: answers)
        assert answers == [["1"]]


async def test_control_frames_and_the_end_are_the_sockets_own() -> None:
    """A ping of the WebSocket is answered with its pong; a close frame ends the session."""
    async with open_socketio() as live, live.socket() as socket:
        await socket.connect()
        await socket.stream.send_all(frame(PING, b"x"))
        event = await socket.event()
        assert bytes(event.payload) == b"x"  # type: ignore[attr-defined]
        await socket.stream.send_all(frame(CLOSE, b"\x03\xe8"))
        assert await socket.closed() == 1000
        await until(lambda: live.service.connected == 0)


async def test_a_poller_that_hangs_up_while_it_waits_is_gone() -> None:
    """What it was about to be told is lost, so its session is over."""
    async with open_socketio() as live:
        poller = await live.begin()
        await poller.connect()
        async with await live.opened.connect() as stream:
            await stream.send_all(f"GET {poller.address} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
            session = live.service._sessions.find(poller.sid)
            assert session is not None
            await until(lambda: session._engine.polled)
        await until(lambda: live.service.connected == 0)


async def test_a_slow_poller_gets_the_newest_board() -> None:
    """It misses steps, costs a bounded amount of memory, and ends with what the board shows."""
    async with open_socketio(rows=100) as live:
        poller = await live.begin()
        await poller.connect()
        for _ in range(100):
            live.boards.show()
        size = len("".join(await poller.poll()))
        assert size < 3 * 16 * 1024
        assert live.counts["skipped"] > 90
        while '"version":100,' not in "".join(poller.got):
            await poller.poll()


async def test_a_step_is_encoded_once_for_all_who_watch_in_one_way() -> None:
    """Whatever the way: sockets and pollers share the bytes."""
    async with open_socketio() as live, live.socket() as one, live.socket() as two:
        poller = await live.begin()
        await poller.connect()
        await one.connect()
        await two.connect()
        for version in (1, 2):
            live.boards.show()
            assert (await one.event_of("leaderboard_update"))["version"] == version
            assert (await two.event_of("leaderboard_update"))["version"] == version
            await poller.until('42["leaderboard_update"')
        current = live.boards.watching.current
        assert current is not None
        assert set(current._frames) == {("socketio-a", "full")}
        assert live.boards.delivered == 4  # from their seats, without being asked


async def test_binary_events_are_refused_and_the_connection_kept() -> None:
    """In base64 by polling and as frames of a WebSocket; the attachments of what was refused say nothing more."""
    event = '451-["score",{"_placeholder":true,"num":0}]'
    async with open_socketio() as live, live.socket() as socket:
        poller = await live.begin()
        await poller.connect()
        await poller.say(event, "bAAEC", '42["ping"]', "bAAEC")
        while sum(packet.startswith('42["error",{"code":"INVALID_INPUT"') for packet in poller.got) < 2:
            await poller.poll()
        assert '42["pong"]' in poller.got
        await socket.connect()
        await socket.say(event)
        await socket.stream.send_all(frame(BINARY, b"\x00\x01"))
        await socket.say('42["ping"]')
        assert "binary" in (await socket.event_of("error"))["message"]
        assert await socket.packet() == '42["pong"]'


async def test_an_answer_to_a_preflight_and_to_a_page_names_its_origin() -> None:
    """So that pages of listed hosts may poll; all others hear 403, and their browsers tell them nothing."""
    async with open_socketio() as live:
        good = {"origin": "https://good.example"}
        preflight = await live.http.options(PATH + "polling", headers=good)
        assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (204, good["origin"])
        begun = await live.http.get(PATH + "polling", headers=good)
        assert (begun.status_code, begun.headers["access-control-allow-origin"]) == (200, good["origin"])
        assert begun.headers["vary"] == "origin"
        for method in ("GET", "OPTIONS"):
            bad = await live.http.request(method, PATH + "polling", headers={"origin": "https://evil.example"})
            assert (bad.status_code, bad.json()["code"]) == (403, 4)
            assert "access-control-allow-origin" not in bad.headers
        plain: httpx.Response = await live.http.get(PATH + "polling")
        assert "access-control-allow-origin" not in plain.headers
