"""Streams of events, from the request to the end of the connection."""

from __future__ import annotations

import pytest

from scoreboard.live import Patience
from scoreboard.live.sse import PATH, EventFeedLimits
from tests.door.attacks import PLAIN
from tests.door.doors import read_until
from tests.live.sse.streams import TOP10, Reader, open_streams, request


async def test_a_stream_begins_with_the_board_and_shows_every_step() -> None:
    """Under an id; the head says that it ends with the connection, and that nobody may keep or change it."""
    async with open_streams() as live, live.reader() as reader:
        name, data = await reader.event()
        assert (name, data["version"], reader.last_id) == ("leaderboard.update", 0, "e:0")
        live.boards.show()
        assert (await reader.event())[1]["version"] == 1
        assert reader.last_id == "e:1"
        assert 1000 <= reader.retry_ms <= 4000
        for line in ("content-type: text/event-stream", "connection: close", "cache-control: no-store, no-transform"):
            assert f"\r\n{line}\r\n" in f"{reader.head}\r\n"
        assert live.feed.connected == 1
    assert live.boards.delivered == 1
    assert live.opened.log.lines == []


async def test_a_stream_begins_behind_other_requests_of_its_connection() -> None:
    """As browsers ask, who keep connections."""
    async with open_streams() as live, await live.opened.connect() as stream:
        await stream.send_all(PLAIN)
        await read_until(stream, b"hello")
        await stream.send_all(request())
        reader = Reader(stream)
        await reader.begin()
        assert (await reader.event())[0] == "leaderboard.update"


async def test_who_comes_back_is_shown_nothing_twice() -> None:
    """By the header that browsers send, or by the field for a client that begins anew; then the next step comes."""
    async with open_streams() as live:
        live.boards.show()
        async with live.reader(last_event_id="e:1") as one, live.reader(TOP10 + "&lastEventId=e:1") as two:
            await live.boards.watched_by(2)
            live.boards.show()
            for reader in (one, two):
                assert (await reader.event())[1]["version"] == 2


@pytest.mark.parametrize("last", ["e:0", "e:7", "f:1", "e", "e:1:leaderboard.top10", "", "e:99999999999999999999"])
async def test_who_was_shown_something_else_is_shown_the_board(last: str) -> None:
    """Also who says so of what never was."""
    async with open_streams() as live:
        live.boards.show()
        async with live.reader(last_event_id=last) as reader:
            assert (await reader.event())[1]["version"] == 1


async def test_ids_of_a_stream_of_several_channels_say_of_which() -> None:
    """Two channels may be at the same version of the same epoch."""
    query = TOP10 + "&channel=leaderboard.top10&channel=leaderboard.daily.top3"
    async with open_streams() as live, live.reader(query) as reader:
        assert (await reader.event())[0] == "leaderboard.update"
        assert reader.last_id == "e:0:leaderboard.top10"
    async with open_streams() as live, live.reader(query, last_event_id="e:0") as reader:
        assert (await reader.event())[0] == "leaderboard.update"


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (request(""), 400, "INVALID_INPUT"),
        (request("?channel=leaderboard.top10&x=1"), 400, "INVALID_INPUT"),
        (request("?channel=leaderboard.top10&full=1"), 400, "INVALID_INPUT"),
        (request("?channel=leaderboard.top10&full=true&full=true"), 400, "INVALID_INPUT"),
        (request("?channel=leaderboard.top101"), 400, "UNKNOWN_CHANNEL"),
        (request("?channel=leaderboard.XX.top10"), 400, "UNKNOWN_CHANNEL"),
        (request("?channel=%00"), 400, "UNKNOWN_CHANNEL"),
        (request("?" + "&".join(f"channel=leaderboard.top{size}" for size in range(1, 22))), 400, "TOO_MANY_CHANNELS"),
        (request("?" + "&".join(["channel=x"] * 100)), 400, "INVALID_INPUT"),
        (request("?channel=player.u2", authorization="Bearer good"), 403, "FORBIDDEN"),
        (request(TOP10 + "&radius=5"), 400, "INVALID_INPUT"),
        (request("?channel=leaderboard.around_me&radius=26", authorization="Bearer good"), 400, "INVALID_INPUT"),
        (request("?channel=leaderboard.around_me&radius=a", authorization="Bearer good"), 400, "INVALID_INPUT"),
        (request("?channel=player.me"), 401, "UNAUTHORIZED"),
        (request("?channel=leaderboard.weekly.around_me"), 401, "UNAUTHORIZED"),
        (request(authorization="Bearer bad"), 401, "UNAUTHORIZED"),
        (request(authorization="Basic YTpi"), 401, "UNAUTHORIZED"),
        (request(TOP10 + "&ticket=a", authorization="Bearer good"), 401, "UNAUTHORIZED"),
        (request(authorization="Bearer waits"), 503, "SERVICE_UNAVAILABLE"),
        (request(origin="https://evil.example"), 403, "FORBIDDEN"),
        (request(method="POST", content_length="3") + b"abc", 405, "METHOD_NOT_ALLOWED"),
        (request(method="get"), 405, "METHOD_NOT_ALLOWED"),
    ],
)
async def test_what_is_no_stream_is_answered_in_the_envelope(sent: bytes, status: int, code: str) -> None:
    """With its status, before anything else was said; the next client is served."""
    async with open_streams(EventFeedLimits(open_within_s=0.2)) as live:
        told, headers, body = await live.answer(sent.replace(b"\r\n\r\n", b"\r\nx-request-id: r-1\r\n\r\n", 1))
        assert (told, body["success"], body["error"]["code"]) == (status, False, code)
        assert body["error"]["requestId"] == headers["x-request-id"] == "r-1"
        assert body["error"]["timestamp"] == "2025-10-30T10:30:00.123Z"
        assert headers["connection"] == "close"
        assert ("www-authenticate" in headers) is (status == 401)
        assert ("retry-after" in headers) is (status == 503)
        async with live.reader() as reader:
            assert (await reader.event())[0] == "leaderboard.update"


async def test_every_request_is_counted() -> None:
    """By method and status: what is shown, what is told, what is refused."""
    async with open_streams(EventFeedLimits(open_within_s=0.2)) as live:
        for sent in (request("?channel=x"), request(authorization="Bearer waits"), request(method="POST")):
            await live.answer(sent)
        await live.answer(request(method="HEAD"))
        await live.answer(request(method="OPTIONS"))
        async with live.reader() as reader:
            await reader.event()
        counted = {name.replace(PATH, "at"): count for name, count in live.counts.items() if PATH in name}
        asked = ("GET at 400", "GET at 503", "POST at 405", "HEAD at 200", "OPTIONS at 204", "GET at 200")
        assert counted == dict.fromkeys(asked, 1)


async def test_a_refusal_is_as_compact_as_every_answer() -> None:
    """And of a query with too many fields it says that, not what it might have asked."""
    async with open_streams() as live:
        refused = await live.opened.talk(request(TOP10 + "&full=true" * 64))
        assert b'{"success":false,"error":{"code":"INVALID_INPUT","message":"The query of the address has ' in refused
        assert b"more than 64 fields" in refused


async def test_head_and_options_tell_the_truth() -> None:
    """The first as the stream would begin, or be refused; the second what a browser may do."""
    async with open_streams() as live:
        status, headers, body = await live.answer(request(method="HEAD"))
        assert (status, headers["content-type"], body) == (200, "text/event-stream", None)
        assert (await live.answer(request("?channel=x", method="HEAD")))[0::2] == (400, None)
        status, headers, body = await live.answer(request("", method="OPTIONS"))
        assert (status, headers["allow"], body) == (204, "GET, HEAD, OPTIONS", None)
        asked = request("", "OPTIONS", origin="https://good.example", access_control_request_method="GET")
        status, headers, _ = await live.answer(asked)
        assert headers["access-control-allow-origin"] == "https://good.example"
        assert "authorization" in headers["access-control-allow-headers"]
        assert live.feed.connected == 0


async def test_a_ticket_begins_one_stream() -> None:
    """To look with HEAD, or to ask for what there is not, does not use it up."""
    once = TOP10 + "&ticket=once"
    async with open_streams() as live:
        assert (await live.answer(request(once, method="HEAD")))[0] == 200
        assert (await live.answer(request(once + "&x=1")))[0] == 400
        async with live.reader(once) as reader:
            assert (await reader.event())[0] == "leaderboard.update"
        assert (await live.answer(request(once)))[0] == 401
        assert (await live.answer(request(once + "&ticket=twice")))[0] == 401


async def test_a_stream_ends_with_the_session_of_its_player() -> None:
    """After it was told; a stream of who only watches goes on."""
    async with open_streams() as live, live.reader(authorization="Bearer good") as reader, live.reader() as spectator:
        for each in (reader, spectator):
            assert (await each.event())[0] == "leaderboard.update"
        live.signins.end_session("")
        assert (await reader.event())[1]["code"] == "TOKEN_REVOKED"
        assert await reader.rest() == ""
        live.boards.show()
        assert (await spectator.event())[1]["version"] == 1


async def test_a_page_of_a_listed_origin_may_read_the_stream() -> None:
    """And no other learns that there is one."""
    async with open_streams() as live, live.reader(origin="https://good.example") as reader:
        assert "access-control-allow-origin: https://good.example" in reader.head
        refused = await live.answer(request(origin="https://evil.example"))
        assert "access-control-allow-origin" not in refused[1]


async def test_clients_are_told_when_to_come_back_when_the_server_goes() -> None:
    """Not all at once; and the stream ends behind a whole event."""
    async with open_streams() as live, live.reader() as reader:
        await reader.event()
        live.opened.door.close()
        rest = await reader.rest()
        assert rest.startswith("retry: ")
        assert rest.endswith("\n\n")


async def test_a_quiet_stream_is_kept_alive_with_comments() -> None:
    """Proxies cut what is idle; who acknowledges is not cut, though nobody answers."""
    limits = EventFeedLimits(patience=Patience(ping_after_s=0.05, pong_within_s=0.05))
    async with open_streams(limits) as live, live.reader() as reader:
        await reader.event()
        data = await read_until(reader.stream, b":\n\n", times=5)
        assert set(data.decode().split("\n")) == {":", ""}
        assert live.feed.connected == 1


async def test_a_client_that_sends_on_is_cut() -> None:
    """What is sent behind the request is thrown away, up to a bound."""
    async with open_streams() as live, live.reader() as reader:
        await reader.event()
        await reader.stream.send_all(b"x" * 60_000)
        live.boards.show()
        assert (await reader.event())[1]["version"] == 1
        await reader.stream.send_all(b"x" * 10_000)
        await reader.rest()


async def test_a_client_that_stops_reading_delays_nobody_and_then_gets_one_fresh_board() -> None:
    """Whole events in any case."""
    async with open_streams() as live, live.reader() as slow, live.reader() as quick:
        await slow.event()
        await quick.event()
        while not live.counts["skipped"]:
            live.boards.show()
            await quick.event()
        last = live.boards.version
        while (await slow.event())[1]["version"] < last:
            pass
        assert live.opened.log.lines == []
