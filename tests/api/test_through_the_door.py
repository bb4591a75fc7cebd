"""The same application behind a real port and a real Hypercorn."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from scoreboard.api import exchange as exchange_of_asgi
from scoreboard.api.dialects import door_words
from scoreboard.door import DoorLimits, HypercornHandler, app_tasks, load_config
from scoreboard.security.keys import KeyRing
from tests.api.world import PASSWORD, World, running_world
from tests.door.doors import OpenDoor, open_door, read_all, read_until

REGISTER = {"username": "Ada", "email": "ada@example.org", "password": PASSWORD}


@dataclass
class Served:
    """A world and its door."""

    world: World
    door: OpenDoor


def test_the_door_and_the_application_call_a_whole_body_by_one_name() -> None:
    """Neither knows the other; with two names every body would get a deadline that it does not need."""
    assert app_tasks.WHOLE == exchange_of_asgi.WHOLE


@pytest.fixture
async def served(ring: KeyRing) -> AsyncIterator[Served]:
    """A world behind a door on a free port."""
    async with (
        running_world(ring=ring) as world,
        open_door(application=world.app, words=door_words(world.clock.now_us)) as door,
    ):
        yield Served(world, door)
        assert [] == door.log.lines


def request(method: str, path: str, body: Any = None, *headers: str) -> bytes:
    """A request as bytes."""
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: x", *headers]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "", ""]).encode() + content


async def exchange(stream: trio.SocketStream, data: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send a request and read its answer; the connection stays open."""
    await stream.send_all(data)
    head, _, body = (await read_until(stream, b"\r\n\r\n")).partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    silent = data.startswith(b"HEAD") or "content-length" not in headers
    while not silent and len(body) < int(headers["content-length"]):
        body += await stream.receive_some()
    return int(status.split()[1]), headers, body


async def test_one_connection_carries_good_and_bad_requests(served: Served) -> None:
    """Refused bodies, heads without bodies and short answers leave the connection usable."""
    async with await served.door.connect() as stream:
        status, headers, body = await exchange(stream, request("POST", "/api/auth/register", REGISTER))
        assert 201 == status
        bearer = f"Authorization: Bearer {json.loads(body)['accessToken']}"
        assert 401 == (await exchange(stream, request("POST", "/api/scores/increment", {"x": 1})))[0]
        assert 404 == (await exchange(stream, request("POST", "/nothing", {"x": 1})))[0]
        assert 400 == (await exchange(stream, request("POST", "/api/scores/increment", {"x": 1}, bearer)))[0]
        status, headers, body = await exchange(stream, request("HEAD", "/api/scores/top"))
        assert (200, b"") == (status, body)
        assert int(headers["content-length"]) > 0
        short = request("GET", "/api/scores/top", None, f"If-None-Match: {headers['etag']}")
        assert 304 == (await exchange(stream, short))[0]
        assert 204 == (await exchange(stream, request("OPTIONS", "/health")))[0]
        status, _, body = await exchange(stream, request("POST", "/api/actions/token", None, bearer))
        assert 200 == status
        token = json.loads(body)["actionToken"]
        increment = request("POST", "/api/scores/increment", {"actionToken": token}, bearer)
        assert 200 == (await exchange(stream, increment))[0]
    [(write, _)] = served.world.scores.ledger
    assert "127.0.0.1" == write.source.address


async def test_a_body_without_end_is_refused_and_its_connection_closed(served: Served) -> None:
    """413 arrives although the client goes on sending, and nobody is left inside."""
    piece = b"400\r\n" + b" " * 1024 + b"\r\n"
    head = request("POST", "/api/auth/register", None, "Content-Type: application/json", "Transfer-Encoding: chunked")
    with trio.fail_after(10):
        answer = await served.door.talk(head + piece * 500)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"connection: close" in answer
    assert b'"code":"CONTENT_TOO_LARGE"' in answer


@pytest.mark.parametrize(
    ("path", "start", "fields"),
    [
        ("/api/v1/auth/login?x=1", b'{"success":false,"error":{"code":"INVALID_INPUT"', {"success", "error"}),
        ("/api/auth/login", b'{"error":"Bad Request","message":', {"error", "message", "code"}),
    ],
)
async def test_what_the_door_refuses_is_told_in_the_words_of_the_address(
    served: Served, path: str, start: bytes, fields: set[str]
) -> None:
    """A body that is none: as its document shows errors, with a request id, and the connection closes."""
    head = request("POST", path, None, "Content-Type: application/json", "Transfer-Encoding: chunked")
    with trio.fail_after(10):
        answer = await served.door.talk(head + b"zz\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\nx-request-id: ")
    assert b"\r\nconnection: close" in head
    assert body.startswith(start)
    assert fields == set(json.loads(body))
    served.door.log.lines.clear()


OF_A, OF_B = {"error", "message", "code"}, {"success", "error"}
LONG = "a" * 40_000


@pytest.mark.parametrize(
    ("sent", "status", "code", "fields"),
    [
        ("GET /api/v1/actions HTTP/1.1\r\n\r\n", 400, "INVALID_INPUT", OF_B),
        ("GET /api/scores/top HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "INVALID_INPUT", OF_A),
        ("GET /api/v1/actions HTTP/1.1\r\nHost: a\r\nno field\r\n\r\n", 400, "INVALID_INPUT", OF_B),
        ("GET /api/v1/actions HTTP/2.0\r\n\r\n", 505, "HTTP_VERSION_NOT_SUPPORTED", OF_B),
        (f"GET /api/v1/{LONG}", 431, "REQUEST_HEADER_FIELDS_TOO_LARGE", OF_B),
        (f"GET /api/v1/actions HTTP/1.1\r\nHost: a\r\nX: {LONG}", 431, "REQUEST_HEADER_FIELDS_TOO_LARGE", OF_B),
        (
            "POST /api/v1/scores/batch HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            501,
            "NOT_IMPLEMENTED",
            OF_B,
        ),
        ("GET http://b/api/v1/actions HTTP/1.1\r\nHost: a\r\n\r\n", 400, "INVALID_INPUT", OF_A),
        ("GET /ws/leaderboard HTTP/1.1\r\n\r\n", 400, "INVALID_INPUT", OF_A),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "HTTP_VERSION_NOT_SUPPORTED", OF_A),
        ("\x16\x03\x01", 400, "INVALID_INPUT", OF_A),
    ],
)
@pytest.mark.parametrize("before", [b"", request("GET", "/health")], ids=["first", "later"])
async def test_what_never_becomes_a_request_is_told_in_the_words_of_its_target(
    served: Served, before: bytes, sent: str, status: int, code: str, fields: set[str]
) -> None:
    """As far as it has one; at the beginning of a connection and later. Always with a request id."""
    with trio.fail_after(10):
        answers = await served.door.talk(before + sent.encode("latin-1"))
    answer = answers[answers.rindex(b"HTTP/1.1 %d " % status) :]
    head, _, body = answer.partition(b"\r\n\r\n")
    told = json.loads(body)
    assert fields == set(told)
    assert code == (told if fields == OF_A else told["error"])["code"]
    assert b"\r\ncontent-type: application/json\r\n" in head
    named = head.partition(b"x-request-id: ")[2].partition(b"\r\n")[0].decode()
    assert fields == OF_A or (named, True) == (told["error"]["requestId"], told["error"]["timestamp"].endswith("Z"))
    assert len(named) >= 8


async def test_one_connection_too_many_is_told_so_in_the_words_of_document_a(ring: KeyRing) -> None:
    """Before it has said anything, with the time to wait."""
    async with (
        running_world(ring=ring) as world,
        open_door(DoorLimits(connections=1), application=world.app, words=door_words(world.clock.now_us)) as door,
        await door.connect() as first,
    ):
        assert 200 == (await exchange(first, request("GET", "/health")))[0]
        async with await door.connect() as second:
            head, _, body = (await read_all(second)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 Service Unavailable\r\nx-request-id: ")
    assert b"\r\nretry-after: 5\r\n" in head
    assert "SERVICE_UNAVAILABLE" == json.loads(body)["code"]


async def test_a_thousand_tiny_pieces_of_a_refused_body_do_not_block_the_connection(served: Served) -> None:
    """More pieces than fit into the queue between Hypercorn and us."""
    head = request("POST", "/api/auth/register", None, "Content-Length: 20000")
    async with await served.door.connect() as stream:
        await stream.send_all(head)
        with trio.fail_after(10):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trickle, stream)
                answer = await read_all(stream)
                nursery.cancel_scope.cancel()
    assert answer.startswith(b"HTTP/1.1 413")


async def trickle(stream: trio.SocketStream) -> None:
    """A byte at a time, as long as anybody takes them."""
    try:
        for _ in range(20_000):
            await stream.send_all(b"x")
    except trio.BrokenResourceError:
        return


async def test_a_client_that_hangs_up_gets_what_it_asked_for_done(served: Served) -> None:
    """The registration that was under way is finished, without a word of failure in the log."""
    gate = served.world.accounts.faults.hold()
    stream = await served.door.connect()
    await stream.send_all(request("POST", "/api/auth/register", REGISTER))
    while not served.world.accounts.faults.calls:
        await wait_all_tasks_blocked(0.01)
    await stream.aclose()
    gate.set()
    with trio.fail_after(10):
        while not served.world.players.rows:
            await wait_all_tasks_blocked(0.01)
    async with await served.door.connect() as other:
        assert 200 == (await exchange(other, request("GET", "/health")))[0]


async def test_a_client_that_waits_to_be_invited_is(served: Served) -> None:
    """`Expect: 100-continue`, as curl sends it with larger bodies."""
    content = json.dumps(REGISTER).encode()
    expect = ("Content-Type: application/json", f"Content-Length: {len(content)}", "Expect: 100-continue")
    async with await served.door.connect() as stream:
        await stream.send_all(request("POST", "/api/auth/register", None, *expect))
        with trio.fail_after(10):
            assert (await read_until(stream, b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
            assert 201 == (await exchange(stream, content))[0]


async def test_the_application_starts_and_stops_with_its_server(served: Served) -> None:
    """The lifespan of ASGI is answered on both ends, without delay."""
    config = load_config()
    handler = HypercornHandler(served.world.app, config, DoorLimits(), served.door.journal)
    with trio.fail_after(10):
        async with handler.lifespan():
            pass


async def _player(stream: trio.SocketStream) -> str:
    body = (await exchange(stream, request("POST", "/api/auth/register", REGISTER)))[2]
    return f"Authorization: Bearer {json.loads(body)['accessToken']}"


async def _increment(stream: trio.SocketStream, bearer: str, key: str) -> bytes:
    token = json.loads((await exchange(stream, request("POST", "/api/actions/token", None, bearer)))[2])["actionToken"]
    return request("POST", "/api/scores/increment", {"actionToken": token}, bearer, f"Idempotency-Key: {key}")


async def test_an_increment_that_is_cut_off_anywhere_and_sent_again_counts_once(served: Served) -> None:
    """Wherever in its request, or behind it, the client hangs up, in good order or not."""
    async with await served.door.connect() as stream:
        bearer = await _player(stream)
        size = len(await _increment(stream, bearer, "size"))
        for number, cut in enumerate((1, size // 2, size - 1, size, size)):
            data = await _increment(stream, bearer, f"key-{number}")
            client = await served.door.connect()
            await client.send_all(data[:cut])
            await wait_all_tasks_blocked(0.001 * (number % 2))
            if number % 3:
                client.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            await client.aclose()
            assert 200 == (await exchange(stream, data))[0]
            assert number + 1 == len(served.world.scores.ledger)


async def test_the_same_increment_many_times_in_one_piece_counts_once(served: Served) -> None:
    """Each is answered, in order; all but the first as repeated."""
    async with await served.door.connect() as stream:
        bearer = await _player(stream)
        await stream.send_all(await _increment(stream, bearer, "key") * 5)
        with trio.fail_after(10):
            answers = await read_until(stream, b'"success":true', times=5)
    assert (5, 4) == (answers.count(b"HTTP/1.1 200 "), answers.lower().count(b"idempotency-replayed: true"))
    assert 1 == len(served.world.scores.ledger)
