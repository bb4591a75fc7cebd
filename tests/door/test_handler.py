"""Hypercorn behind the door."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import trio
from trio.testing import wait_all_tasks_blocked

from scoreboard.door import DoorLimits, HypercornHandler, Journal, load_config
from tests.door.attacks import PLAIN
from tests.door.doors import ListLog, open_door, read_all, read_until


async def test_the_application_starts_and_stops_with_its_lifespan() -> None:
    """Start-up is through before the body, shutdown before the end."""
    heard: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for _ in range(2):
            message = await receive()
            heard.append(message["type"])
            await send({"type": message["type"] + ".complete"})

    handler = HypercornHandler(app, load_config(), DoorLimits(), Journal(ListLog()))
    async with handler.lifespan():
        assert ["lifespan.startup"] == heard
    assert ["lifespan.startup", "lifespan.shutdown"] == heard


async def test_a_body_that_stops_coming_is_given_up() -> None:
    """`read_timeout` holds between two pieces of a body."""
    async with open_door(read_timeout=0.1) as opened, await opened.connect() as client:
        await client.send_all(b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhalf")
        with trio.fail_after(10):
            await read_all(client)


async def test_a_long_answer_is_not_cut_for_want_of_questions() -> None:
    """`read_timeout` does not hold while the client has nothing to send."""

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        with trio.move_on_after(0.3):
            while (await receive())["type"] != "http.disconnect":
                pass
            return  # as Quart does: nobody is there to be answered
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"at last", "more_body": False})

    async with open_door(application=slow, read_timeout=0.1) as opened, await opened.connect() as client:
        await client.send_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        assert b"at last" in await read_until(client, b"at last")


async def test_a_head_goes_out_with_the_first_piece_of_its_body() -> None:
    """Not before it, in a write of its own."""
    go_on = [trio.Event(), trio.Event()]
    at_head = trio.Event()

    async def in_pieces(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]})
        at_head.set()
        await go_on[0].wait()
        await send({"type": "http.response.body", "body": b"piece", "more_body": True})
        await go_on[1].wait()
        await send({"type": "http.response.body", "body": b"x" * 5, "more_body": False})

    with trio.fail_after(10):
        async with open_door(application=in_pieces) as opened, await opened.connect() as client:
            await client.send_all(PLAIN)
            await at_head.wait()
            with trio.move_on_after(0.05) as too_early:
                await client.receive_some()
            assert too_early.cancelled_caught
            go_on[0].set()
            head = bytes(await client.receive_some())
            assert head.startswith(b"HTTP/1.1 200 ")
            assert head.endswith(b"\r\n\r\npiece")
            go_on[1].set()
            assert await read_until(client, b"xxxxx")


async def test_an_answer_to_a_body_nobody_reads_arrives_in_good_order() -> None:
    """The application answers before the end of the body; the client may send all of it and still read the answer."""

    async def refuse(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 413, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    head = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10000000\r\n\r\n"
    async with open_door(DoorLimits(linger_within_s=5), application=refuse) as opened, await opened.connect() as client:
        await client.send_all(head + b"x" * 500_000)
        await client.send_eof()
        answer = b""
        async for data in client:  # a reset would raise
            answer += data
    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_what_follows_the_last_request_changes_nothing() -> None:
    """Its answer arrives whatever comes behind it, at once or later: nobody must take for refused what was done."""
    request = b"POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 4\r\n\r\ndone"
    async with open_door() as opened:
        for tail in (b"\r\n", b"garbage \x00\r\n\r\n", PLAIN, b"x" * 300_000):
            answer = await opened.talk(request + tail)
            assert (1, b"done") == (answer.count(b"HTTP/1.1 200 "), answer.partition(b"\r\n\r\n")[2])


async def test_what_follows_the_last_request_while_it_is_worked_on_does_not_disturb_it() -> None:
    """However much it is: it stays with its sender until the answer is out, and is thrown away then."""
    go_on = trio.Event()

    async def late(scope: Any, receive: Any, send: Any) -> None:
        await go_on.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
        await send({"type": "http.response.body", "body": b"late", "more_body": False})

    async def send_more(client: trio.SocketStream) -> None:
        with suppress(trio.BrokenResourceError):
            await client.send_all(b"x" * 20_000_000)  # more than the kernel keeps

    with trio.fail_after(10):
        async with open_door(application=late) as opened, await opened.connect() as client:
            await client.send_all(b"GET / HTTP/1.0\r\n\r\n")
            async with trio.open_nursery() as nursery:
                nursery.start_soon(send_more, client)
                await wait_all_tasks_blocked(0.01)
                go_on.set()
                assert b"late" in await read_until(client, b"late")
                nursery.cancel_scope.cancel()


def test_the_settings_are_those_of_the_file() -> None:
    """What the door relies on stands in hypercorn.toml."""
    config = load_config()
    assert config.read_timeout is not None
    assert config.include_server_header is False
