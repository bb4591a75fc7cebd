"""No connection is forgotten: every way in which one used to stay open for ever, with the application that it takes."""

from __future__ import annotations

import gc
from typing import Any

import pytest
import trio
from quart_trio import QuartTrio

from scoreboard.door import DoorLimits
from scoreboard.door.connection import Http1Connection
from tests.door.attacks import PLAIN
from tests.door.doors import OpenDoor, app, open_door, read_all, read_until

SOON = DoorLimits(linger_within_s=0.1, stop_within_s=0.2)
CLOSING = PLAIN.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")
POST = b"POST /hello HTTP/1.1\r\nhost: x\r\ncontent-length: 2000000\r\n\r\n"


def _quart() -> QuartTrio:
    app = QuartTrio(__name__)

    @app.route("/hello")
    async def hello() -> str:
        return "hello"

    return app


async def _answers_without_reading(scope: Any, receive: Any, send: Any) -> None:
    """And only after pieces of the body have come."""
    await trio.sleep(0.1)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello", "more_body": False})


async def _left(opened: OpenDoor) -> None:
    """Until nobody is inside; a test that waits here for long has found one that was forgotten."""
    with trio.fail_after(10):
        while opened.door.connections:  # noqa: ASYNC110  # the door tells nobody when a place becomes free
            await trio.sleep(0.01)


async def test_an_answer_of_quart_that_says_close_is_followed_by_the_end() -> None:
    """Quart cancels the task that has just sent the answer and was about to close."""
    async with open_door(SOON, application=_quart()) as opened:
        with trio.fail_after(10):
            assert (await opened.talk(CLOSING)).endswith(b"hello")
        await _left(opened)


async def test_a_connection_that_has_ended_is_gone_without_the_garbage_collector() -> None:
    """A collection of everything holds the loop for more than a second beside ten thousand other connections."""
    gc.collect()  # what other tests have left
    gc.disable()
    try:
        async with open_door(SOON, application=_quart()) as opened:
            await opened.talk(CLOSING)
            await _left(opened)
            assert [] == [each for each in gc.get_objects() if type(each) is Http1Connection]
    finally:
        gc.enable()


async def test_a_connection_that_is_idle_after_an_answer_of_quart_is_ended() -> None:
    """The same cancellation used to keep its idle time from being limited."""
    async with (
        open_door(SOON, application=_quart(), keep_alive_timeout=0.1) as opened,
        await opened.connect() as client,
    ):
        await client.send_all(PLAIN)
        await read_until(client, b"hello")
        with trio.fail_after(10):
            assert b"" == await read_all(client)


async def test_an_idle_connection_ends_with_the_door_after_an_answer_of_quart() -> None:
    """At once, not by being cut."""
    async with open_door(DoorLimits(), application=_quart()) as opened, await opened.connect() as client:
        await client.send_all(PLAIN + PLAIN)
        await read_until(client, b"hello", times=2)
        opened.door.close()
        with trio.fail_after(10):
            assert b"" == await read_all(client)


@pytest.mark.parametrize("quart", [False, True])
@pytest.mark.parametrize(
    "requests",
    [
        PLAIN * 50,
        PLAIN + b"GET /ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n" + PLAIN,
        b"POST * HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\nx" + PLAIN * 3,
        b"GET /hello HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nexpect: 100-continue\r\n\r\n" + PLAIN,
        CLOSING + PLAIN * 3,
        POST + b"x" * 100_000,
        PLAIN + b"\xff" * 100 + PLAIN,
    ],
)
@pytest.mark.parametrize("reset", [False, True])
async def test_a_client_that_leaves_between_its_own_requests_is_let_go(
    requests: bytes, *, quart: bool, reset: bool
) -> None:
    """Requests that wait for an earlier one, or stand behind a refused one, do not hold their connection."""
    async with open_door(SOON, application=_quart() if quart else app) as opened:
        client = await opened.connect()
        await client.send_all(requests)
        if reset:
            client.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        await client.aclose()
        await _left(opened)
    assert [] == opened.log.lines


async def test_an_application_that_does_not_read_a_body_can_still_end() -> None:
    """What it did not ask for is thrown away behind its answer."""
    async with open_door(SOON, application=_answers_without_reading) as opened:
        with trio.fail_after(10):
            assert b"hello" in await opened.talk(POST + b"x" * 1_000_000)
        await _left(opened)
