"""What one client sends costs that client only: each trap of the libraries behind the door, from the outside."""

from __future__ import annotations

import pytest
import trio

from scoreboard.door import DoorLimits, Drop
from tests.door.attacks import HTTP2_ATTACKS, NO_REQUESTS, PLAIN, PREFACE, WAYS_IN, upgrade_request
from tests.door.doors import OpenDoor, open_door, read_all, read_until

SECOND = (b"", PLAIN)
IMPATIENT = DoorLimits(head_within_s=0.2, write_within_s=0.3, linger_within_s=0.2, stop_within_s=0.2)


async def _attack(opened: OpenDoor, data: bytes) -> bytes:
    """The answer, or what there is of it after a while: some attacks leave the connection open, and that is allowed."""
    with trio.move_on_after(0.5):
        return await opened.talk(data)
    return b""


@pytest.mark.parametrize("before", SECOND, ids=["first_request", "second_request"])
@pytest.mark.parametrize("way", WAYS_IN)
@pytest.mark.parametrize("attack", HTTP2_ATTACKS)
async def test_no_attack_by_http2_ends_the_door_or_a_neighbour(attack: str, way: str, before: bytes) -> None:
    """Each of these ends a plain Hypercorn; here the neighbour's connection and the next one are served."""
    async with open_door() as opened:
        neighbour = await opened.connect()
        async with neighbour:
            await _attack(opened, before + WAYS_IN[way](HTTP2_ATTACKS[attack]))
            await neighbour.send_all(PLAIN)
            assert (await read_until(neighbour, b"hello")).startswith(b"HTTP/1.1 200")
        assert await opened.is_serving()
        assert [] == opened.log.lines


@pytest.mark.parametrize("before", SECOND, ids=["first_request", "second_request"])
async def test_http2_by_prior_knowledge_is_refused_in_http1(before: bytes) -> None:
    """The preface gets 505 and the end, wherever in the connection it comes."""
    async with open_door() as opened:
        answer = await opened.talk(before + PREFACE)
    assert b"HTTP/1.1 505 HTTP Version Not Supported\r\n" in answer
    assert (opened.journal.drops[Drop.HTTP2] == 1) is (before == b"")


@pytest.mark.parametrize("before", SECOND, ids=["first_request", "second_request"])
async def test_an_offer_of_http2_is_answered_as_a_plain_request(before: bytes) -> None:
    """`Upgrade: h2c` is an offer, not a demand: no 101, and the connection goes on in HTTP/1.1."""
    async with open_door() as opened, await opened.connect() as client:
        await client.send_all(before + upgrade_request())
        answer = await read_until(client, b"hello", times=2 if before else 1)
        await client.send_all(PLAIN)
        answer += await read_until(client, b"hello")
    assert answer.count(b"HTTP/1.1 200 ") == (3 if before else 2)
    assert b"101" not in answer


@pytest.mark.parametrize("before", SECOND, ids=["first_request", "second_request"])
@pytest.mark.parametrize("method_and_more", [(b"GET", b""), (b"POST", b"connection: upgrade\r\n")])
async def test_what_only_looks_like_a_websocket_is_refused_clearly(
    method_and_more: tuple[bytes, bytes], before: bytes
) -> None:
    """No answer of HTTP would be one: 400 with the reason, and the end, wherever in the connection it comes."""
    async with open_door() as opened:
        answer = await opened.talk(
            before + b"%b /ws HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\n%b\r\n" % method_and_more
        )
        last = answer.rpartition(b"hello")[2]
        assert last.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert last.endswith(b"A WebSocket begins with a GET with Connection: Upgrade.\n")
        assert await opened.is_serving()


@pytest.mark.parametrize("name", NO_REQUESTS)
@pytest.mark.parametrize("before", SECOND, ids=["first_request", "second_request"])
async def test_what_is_no_request_gets_a_clear_4xx_or_505_and_the_end(name: str, before: bytes) -> None:
    """Also when more is sent than is read: the answer arrives before the connection is closed."""
    async with open_door(IMPATIENT) as opened:
        answer = await opened.talk(before + NO_REQUESTS[name])
        last = answer.rpartition(b"hello")[2]
        assert last.startswith((b"HTTP/1.1 4", b"HTTP/1.1 505")), answer
        assert b"connection: close\r\n" in last
        assert await opened.is_serving()
        assert [] == opened.log.lines


async def test_the_end_after_a_refusal_is_no_reset() -> None:
    """A client that still sends can do so, and then reads the answer and a regular end."""
    async with open_door(DoorLimits(linger_within_s=5)) as opened, await opened.connect() as client:
        await client.send_all(NO_REQUESTS["a_huge_header"])
        await client.send_eof()
        answer = b""
        async for data in client:  # a reset would raise
            answer += data
    assert answer.startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("before", SECOND, ids=["first_request", "second_request"])
async def test_half_a_head_and_silence_is_ended_after_a_while(before: bytes) -> None:
    """A client that drips its head in gets 408 at the deadline, however often it sends a byte, and whichever it is."""
    async with open_door(IMPATIENT) as opened, await opened.connect() as client:
        await client.send_all(before + PLAIN[:10])
        answer = (await read_all(client)).rpartition(b"hello")[2]
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert opened.journal.drops == {Drop.SLOW_HEAD: 1}


async def test_silence_from_the_beginning_is_ended_without_a_word() -> None:
    """A browser opens connections ahead of need and expects nothing on them."""
    async with open_door(IMPATIENT) as opened, await opened.connect() as client:
        assert b"" == await read_all(client)
    assert opened.journal.drops == {Drop.SILENT: 1}


@pytest.mark.parametrize("sent", [b"", PLAIN[:10], PLAIN])
async def test_a_client_that_leaves_at_once_is_only_counted(sent: bytes) -> None:
    """In good order or with a reset, before, in or after its head: nothing is logged."""
    async with open_door(IMPATIENT) as opened:
        for reset in (False, True):
            client = await opened.connect()
            if reset:
                client.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            await client.send_all(sent)
            await client.aclose()
        assert await opened.is_serving()
    assert [] == opened.log.lines


async def test_a_websocket_handler_that_raises_costs_its_connection_only() -> None:
    """Even with two errors at once; each is logged with who and what, and counted."""
    handshake = b"GET /raise HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
    async with open_door() as opened:
        assert b"live /raise" == await opened.talk(handshake)
        assert await opened.is_serving()
    (line,) = opened.log.lines
    assert ("connection_failed", "websocket", "127.0.0.1") == (line["event"], line["kind"], line["client"])
    assert {KeyError, ValueError} == {type(error) for error in line["exc_info"].exceptions}
    assert opened.journal.drops[Drop.FAILED] == 1


async def test_an_application_that_raises_answers_500_and_is_logged() -> None:
    """Hypercorn's own report of it reaches the observer."""
    async with open_door() as opened:
        answer = await opened.talk(b"GET /raise HTTP/1.1\r\nhost: x\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 500 ")
        assert await opened.is_serving()
    (line,) = opened.log.lines
    assert "the application failed" == str(line["exc_info"])


async def test_a_client_that_never_reads_is_cut_by_the_write_deadline() -> None:
    """Its task ends although Hypercorn shields the write from cancellation, and with it its place inside."""
    limits = DoorLimits(write_within_s=0.2, write_bytes_per_s=1024**3, linger_within_s=0.1)
    async with open_door(limits) as opened, await opened.connect() as client:
        await client.send_all(b"GET /big HTTP/1.1\r\nhost: x\r\n\r\n")
        await client.receive_some(1)
        with trio.fail_after(10):
            await opened.journal.seen(Drop.UNREAD)
        assert await opened.is_serving()
        assert [] == opened.log.lines


async def test_clients_that_hang_do_not_keep_the_door_open() -> None:
    """Closing is bounded: one in a shielded write, one in a stuck application, one in a deaf feed, one mid-head."""
    limits = DoorLimits(stop_within_s=0.3)
    async with open_door(limits) as opened:
        feed = b"GET /deaf HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
        clients = [await opened.connect() for _ in range(4)]
        for client, path in zip(clients, (b"/big", b"/stuck"), strict=False):
            await client.send_all(b"GET %b HTTP/1.1\r\nhost: x\r\n\r\n" % path)
        await clients[2].send_all(feed)
        await clients[3].send_all(PLAIN[:10])
        await clients[0].receive_some(1)
        await clients[2].receive_some()
        opened.door.close()
        with trio.fail_after(10):
            await opened.served.wait()
    assert opened.journal.drops[Drop.STOPPED] == 4
    for client in clients:
        await client.aclose()
