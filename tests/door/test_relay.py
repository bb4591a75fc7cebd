"""Two doors: what the far one holds is asked for at the near one, which passes it on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from scoreboard.door import DoorLimits, Drop, Proxies, RequestHead
from scoreboard.door.relay import OpenLine
from scoreboard.door.tls import Tls, TlsFiles
from tests.certificates import trusting, write_certificate
from tests.door.attacks import PLAIN
from tests.door.doors import OpenDoor, open_door, read_all, read_body, read_until

HERE = "127.0.0.1"
UPGRADE = b"upgrade: websocket\r\nconnection: upgrade\r\n"


async def far_app(scope: Any, receive: Any, send: Any) -> None:
    """Says from whom a request is, and what it brought. /far/poll is answered when its client has gone."""
    if scope["type"] == "lifespan":
        return
    if scope["path"] == "/far/poll":
        while (await receive())["type"] != "http.disconnect":
            pass
        return
    body = b"" if scope["path"] == "/far/unread" else await read_body(receive)
    status = 204 if scope["path"] == "/far/nothing" else 200
    told = b"" if status == 204 else b"far %b %b;" % (scope["client"][0].encode(), body)
    fields = [] if scope["path"] in ("/far/chunks", "/far/nothing") else [(b"content-length", b"%d" % len(told))]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": told, "more_body": False})


async def far_live(stream: trio.SocketStream, head: RequestHead, closing: trio.Event) -> None:
    """In place of the live feed: whom it got, and back what comes."""
    await stream.send_all(f"live {head.client}\n".encode() + head.rest)
    async for data in stream:
        await stream.send_all(data)


@asynccontextmanager
async def two_doors(
    near: dict[str, Any] | None = None, far: dict[str, Any] | None = None
) -> AsyncIterator[tuple[OpenDoor, OpenDoor]]:
    """The near one and the far one."""
    async with trio.open_nursery() as nursery:
        async with open_door(**{"application": far_app, "websocket": far_live, **(far or {})}) as there:

            async def line(client: str) -> trio.SocketStream:
                ours, theirs = trio.socket.socketpair()
                nursery.start_soon(there.door.take_over, trio.SocketStream(theirs), client)
                return trio.SocketStream(ours)

            async with open_door(elsewhere=held_by(line), **(near or {})) as here:
                yield here, there


def held_by(line: OpenLine) -> Callable[[str], OpenLine | None]:
    """All that begins with /far."""
    return lambda target: line if target.startswith("/far") else None


def asked(path: bytes, more: bytes = b"", *, method: bytes = b"GET") -> bytes:
    """A request."""
    return b"%b /far/%b HTTP/1.1\r\nhost: x\r\n%b\r\n" % (method, path, more)


async def nobody_inside(opened: OpenDoor) -> None:
    """Wait until it is so."""
    with trio.fail_after(10):
        while opened.door.connections:
            await trio.lowlevel.checkpoint()


async def test_requests_of_one_connection_are_answered_where_each_belongs() -> None:
    """In their order, with bodies of every form; the far one knows the client's address."""
    async with two_doors() as (here, there), await here.connect() as client:
        await client.send_all(
            PLAIN + asked(b"a") + PLAIN + asked(b"b", b"content-length: 3\r\n", method=b"POST") + b"abc"
        )
        assert b"far 127.0.0.1 ;" in await read_until(client, b";")
        assert b"hello" in (told := await read_until(client, b";"))
        assert b"far 127.0.0.1 abc;" in told
        await client.send_all(asked(b"c", b"transfer-encoding: chunked\r\n", method=b"POST") + b"2\r\nab\r\n")
        await client.send_all(b"1\r\nc\r\n0\r\n\r\n" + PLAIN)
        assert b"far 127.0.0.1 abc;" in await read_until(client, b"hello")
        await nobody_inside(there)
        assert here.door.connections == 1


async def test_an_answer_ends_where_its_head_says() -> None:
    """In chunks, or with no body at all: the next request is served."""
    async with two_doors() as (here, _), await here.connect() as client:
        await client.send_all(asked(b"chunks") + PLAIN)
        assert b"transfer-encoding: chunked" in (await read_until(client, b"hello")).lower()
        await client.send_all(asked(b"nothing") + PLAIN)
        assert b"HTTP/1.1 204" in await read_until(client, b"hello")


async def test_a_body_is_invited_by_who_wants_it() -> None:
    """100 comes from the far one, and is no answer."""
    async with two_doors() as (here, _), await here.connect() as client:
        head = asked(b"d", b"content-length: 2\r\nexpect: 100-continue\r\n", method=b"POST")
        await client.send_all(head)
        assert b"HTTP/1.1 100" in await read_until(client, b"\r\n\r\n")
        await client.send_all(b"xy" + PLAIN)
        assert b"far 127.0.0.1 xy;" in await read_until(client, b"hello")


async def test_a_client_that_wants_no_more_is_let_go() -> None:
    """What it says of its connection holds for both."""
    async with two_doors() as (here, _):
        assert b"far" in await here.talk(asked(b"e", b"connection: close\r\n"))


@pytest.mark.parametrize(
    "request_", [asked(b"poll"), asked(b"f", b"content-length: 9\r\n", method=b"POST") + b"some"], ids=["poll", "post"]
)
async def test_a_client_that_hangs_up_is_gone_for_the_far_one_too(request_: bytes) -> None:
    """It waits for nobody, neither with its answer nor for the rest of a body."""
    async with two_doors() as (here, there):
        async with await here.connect() as client:
            await client.send_all(request_)
            while not there.door.connections:
                await trio.lowlevel.checkpoint()
        await nobody_inside(there)


async def test_what_cannot_be_reached_is_answered_here() -> None:
    """Its worker is gone, and what it held as well: this one knows nothing of it, and says so in its own words."""

    async def nobody(_client: str) -> trio.SocketStream:
        raise OSError("no such socket")

    async with open_door(elsewhere=held_by(nobody)) as here:
        assert b"hello" in await here.talk(asked(b"g", b"connection: close\r\n"))
        async with await here.connect() as client:
            await client.send_all(asked(b"ws", UPGRADE))
            await read_until(client, b"live /far/ws")


async def test_a_far_one_that_dies_before_its_answer_costs_that_answer() -> None:
    """503: the same again may be sent, and the connection ends."""
    answered = b""

    async def dying(_client: str) -> trio.SocketStream:
        ours, theirs = trio.socket.socketpair()
        if answered:
            await theirs.send(answered)
        theirs.close()
        return trio.SocketStream(ours)

    async with open_door(elsewhere=held_by(dying)) as here:
        assert (await here.talk(asked(b"h"))).startswith(b"HTTP/1.1 503")
        answered = b"HTTP/1.1 200 \r\ncontent-length: 5\r\n\r\nhal"
        assert await here.talk(asked(b"h")) == answered
        answered = b"no answer at all\r\n\r\n"
        assert (await here.talk(asked(b"h"))).startswith(b"HTTP/1.1 503")
        assert await here.is_serving()


async def test_a_far_one_that_is_full_says_so() -> None:
    """Who is passed on counts there as whoever comes by itself, for the address that it comes from."""
    async with two_doors(far={"limits": DoorLimits(connections_per_address=1)}) as (here, there):
        async with await here.connect() as first:
            await first.send_all(asked(b"ws", UPGRADE))
            await read_until(first, b"\n")
            assert (await here.talk(asked(b"i"))).startswith(b"HTTP/1.1 503")
        assert there.journal.drops[Drop.ADDRESS_FULL] == 1


async def test_a_socket_is_passed_on_for_as_long_as_it_lasts() -> None:
    """What was sent ahead goes along, and the end of one side is the end of the other."""
    async with two_doors() as (here, there):
        async with await here.connect() as client:
            await client.send_all(asked(b"ws", UPGRADE) + b"ahead")
            assert await read_until(client, b"ahead") == b"live 127.0.0.1\nahead"
            for size in (1, 100_000):
                await client.send_all(b"x" * size + b"!")
                assert len(await read_until(client, b"!")) == size + 1
            await client.send_eof()
            assert await read_all(client) == b""
        assert not there.log.lines
        assert not here.log.lines


async def test_a_socket_is_passed_on_behind_requests_of_its_connection() -> None:
    """A proxy polls on it and then becomes a WebSocket, of whichever session."""
    async with two_doors() as (here, there), await here.connect() as client:
        await client.send_all(PLAIN + asked(b"a") + asked(b"ws", UPGRADE) + b"ahead")
        assert (await read_until(client, b"ahead")).endswith(b"live 127.0.0.1\nahead")
        assert (1, 1) == (here.door.connections, there.door.connections)


async def test_a_socket_that_is_passed_on_ends_when_this_door_closes() -> None:
    """Its client comes back, and lands elsewhere."""
    async with two_doors() as (here, _), await here.connect() as client:
        await client.send_all(asked(b"ws", UPGRADE))
        await read_until(client, b"\n")
        here.door.close()
        assert await read_all(client) == b""


async def test_proxies_are_believed_by_the_far_one_as_by_the_near_one() -> None:
    """It hears who is at the other end, and judges for itself whom that speaks for."""
    ours = {"proxies": Proxies([HERE])}
    async with two_doors(ours, ours) as (here, _):
        through = b"x-forwarded-for: 203.0.113.5\r\nconnection: close\r\n"
        assert b"far 203.0.113.5 ;" in await here.talk(asked(b"j", through))
        async with await here.connect() as client:
            await client.send_all(asked(b"ws", UPGRADE + b"x-forwarded-for: 203.0.113.5\r\n"))
            assert await read_until(client, b"\n") == b"live 203.0.113.5\n"
    async with two_doors() as (here, _):
        assert b"far 127.0.0.1 ;" in await here.talk(asked(b"j", through))


async def test_a_method_whose_answer_has_no_body_is_served_here() -> None:
    """Where its end is cannot be seen in what passes."""
    async with two_doors() as (here, _):
        told = await here.talk(asked(b"k", b"connection: close\r\n", method=b"HEAD"))
        assert b"content-length: 5" in told


async def test_what_came_through_tls_is_passed_on_in_the_clear(tmp_path: Path) -> None:
    """Within the machine: the near one has the keys, the far one (who speaks TLS too) takes it as it is."""
    secure = {"tls": Tls(TlsFiles(*write_certificate(tmp_path)))}
    async with two_doors(secure, secure) as (here, _):
        async with await secretly(here) as client:
            await client.send_all(asked(b"m") + PLAIN + asked(b"n"))
            assert b"far 127.0.0.1 ;" in await read_until(client, b";", times=2)
        async with await secretly(here) as client:
            await client.send_all(asked(b"ws", UPGRADE))
            assert await read_until(client, b"\n") == b"live 127.0.0.1\n"
            await client.send_all(b"x" * 100_000 + b"!")
            assert len(await read_until(client, b"!")) == 100_001


async def secretly(opened: OpenDoor) -> trio.SSLStream[trio.SocketStream]:
    """A client through TLS."""
    stream = await opened.connect()
    return trio.SSLStream(stream, trusting(), server_hostname="localhost", https_compatible=True)
