"""How a request or its connection may end otherwise than both had in mind, and what is said then."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from scoreboard.door import DoorLimits, Drop
from tests.door.attacks import PLAIN
from tests.door.doors import open_door, read_all, read_body

SOON = DoorLimits(linger_within_s=0.1, stop_within_s=0.5)
HALF = b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhalf"
HALF_IN_CHUNKS = b"POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n"


async def wanting_all(scope: Any, receive: Any, send: Any) -> None:
    """An application that says nothing to who has gone in the middle of a request."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        assert message["more_body"]


@pytest.mark.parametrize("half", [HALF, HALF_IN_CHUNKS])
async def test_a_client_that_ends_in_the_middle_of_a_body_hears_that_it_was_wrong(half: bytes) -> None:
    """400: the server did not fail, and who counts failures must not take it for one."""
    async with open_door(SOON, application=wanting_all) as opened, await opened.connect() as client:
        await client.send_all(half)
        await client.send_eof()
        with trio.fail_after(10):
            answers = await read_all(client)
    assert (1, True) == (answers.count(b"HTTP/1.1"), answers.startswith(b"HTTP/1.1 400 "))
    assert [] == opened.log.lines


async def test_a_body_that_stops_coming_is_answered_408() -> None:
    """Its client may try again."""
    async with open_door(SOON, application=wanting_all, read_timeout=0.1) as opened, await opened.connect() as client:
        await client.send_all(HALF)
        with trio.fail_after(10):
            answers = await read_all(client)
    assert (1, True) == (answers.count(b"HTTP/1.1"), answers.startswith(b"HTTP/1.1 408 "))


async def test_an_answer_that_has_begun_comes_out_whole_whatever_becomes_of_the_body() -> None:
    """And is the last one."""

    async def overlapping(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"hel", "more_body": True})
        await read_body(receive)
        await send({"type": "http.response.body", "body": b"lo", "more_body": False})

    for rest in (b"", b"zz\r\n"):
        async with open_door(SOON, application=overlapping) as opened, await opened.connect() as client:
            await client.send_all(HALF_IN_CHUNKS + rest)
            await client.send_eof()
            with trio.fail_after(10):
                answers = await read_all(client)
        assert (1, True) == (answers.count(b"HTTP/1.1"), answers.endswith(b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"))


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (PLAIN + b"GET / FTP\r\n", Drop.BAD_HEAD),
        (PLAIN + b"CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n", Drop.BAD_HEAD),
        (PLAIN + b"GET / HTTP/1.1\r\nhost: x\r\na: " + b"b" * 20_000, Drop.LARGE_HEAD),
        (HALF_IN_CHUNKS + b"zz\r\n", Drop.BAD_BODY),
        (HALF, Drop.SLOW_BODY),
    ],
)
async def test_a_connection_that_is_given_up_is_counted(sent: bytes, why: Drop) -> None:
    """By its reason, as those whose first head is refused; nothing is logged."""
    async with open_door(SOON, read_timeout=0.1) as opened, await opened.connect() as client:
        await client.send_all(sent)
        with trio.fail_after(10):
            await read_all(client)
    assert ({why: 1}, []) == (opened.journal.drops, opened.log.lines)


@pytest.mark.parametrize("expect", [b"", b"expect: 100-continue\r\n"])
async def test_an_answer_before_the_end_of_the_body_says_that_it_is_the_last(expect: bytes) -> None:
    """The client would send its next request into a connection that is being closed."""
    async with open_door(SOON) as opened, await opened.connect() as client:
        await client.send_all(b"POST /hello HTTP/1.1\r\nhost: x\r\n" + expect + b"content-length: 9\r\n\r\n")
        with trio.fail_after(10):
            answers = await read_all(client)
    assert (1, 1, True) == (
        answers.count(b"HTTP/1.1"),
        answers.count(b"connection: close"),
        answers.endswith(b"hello"),
    )


async def test_all_requests_before_a_client_says_that_it_sends_no_more_are_answered() -> None:
    """It still listens."""
    post = b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nbody"
    async with open_door(SOON) as opened, await opened.connect() as client:
        await client.send_all((PLAIN + post) * 50)
        await client.send_eof()
        with trio.fail_after(10):
            answers = await read_all(client)
    assert (100, 50, 50) == (answers.count(b"HTTP/1.1 200"), answers.count(b"hello"), answers.count(b"body"))


async def test_a_first_head_that_is_complete_when_the_door_is_closing_is_answered() -> None:
    """What the application does is also told, by an answer that says that it is the last."""
    async with open_door() as opened, await opened.connect() as client:
        await client.send_all(PLAIN[:-1])
        await wait_all_tasks_blocked(0.01)
        opened.door.close()
        await wait_all_tasks_blocked(0.01)
        await client.send_all(PLAIN[-1:])
        with trio.fail_after(10):
            answers = await read_all(client)
    assert (1, 1) == (answers.count(b"hello"), answers.count(b"connection: close"))


async def test_the_next_of_many_requests_in_one_piece_is_answered_when_the_door_closes() -> None:
    """If the application did it: each is either answered or never begun."""
    begun = 0

    async def closing(scope: Any, receive: Any, send: Any) -> None:
        nonlocal begun
        begun += 1
        await read_body(receive)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    for _ in range(20):
        begun = 0
        async with open_door(application=closing) as opened, await opened.connect() as client:
            await client.send_all(PLAIN * 100)
            while not begun:
                await trio.lowlevel.checkpoint()
            opened.door.close()
            with trio.fail_after(10):
                answers = await read_all(client)
        assert begun == answers.count(b"HTTP/1.1 204")


async def test_a_method_in_small_letters_is_another_method() -> None:
    """A proxy waits for the body that an answer to ``head`` announces; the server has to send it."""
    methods: list[str] = []

    async def noting(scope: Any, receive: Any, send: Any) -> None:
        methods.append(scope["method"])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
        await send({"type": "http.response.body", "body": b"hello", "more_body": False})

    async with open_door(SOON, application=noting) as opened, await opened.connect() as client:
        await client.send_all(PLAIN.replace(b"GET", b"head") + PLAIN)
        await client.send_eof()
        with trio.fail_after(10):
            answers = await read_all(client)
    assert (["head", "GET"], 2) == (methods, answers.count(b"hello"))
    assert [] == opened.log.lines


@pytest.mark.parametrize(
    ("status", "field"),
    [(200, (b"transfer-encoding", b"chunked")), (200, (b"content-length", b"x")), (100, (b"a", b"b"))],
)
async def test_a_head_that_cannot_be_sent_is_answered_500(status: int, field: tuple[bytes, bytes]) -> None:
    """One line in the log, and a client that knows where it is."""

    async def misleading(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": [field]})
        await send({"type": "http.response.body", "body": b"hello", "more_body": False})

    async with open_door(SOON, application=misleading) as opened:
        with trio.fail_after(10):
            answered = await opened.talk(PLAIN)
    assert answered.startswith(b"HTTP/1.1 500 ")
    assert ["http_failed"] == [line["event"] for line in opened.log.lines]
