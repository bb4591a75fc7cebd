"""One connection, its requests one after the other; what an application may do and what a client may do meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from scoreboard.door import DoorLimits
from scoreboard.door.app_tasks import WHOLE
from tests.door.attacks import PLAIN
from tests.door.doors import open_door, read_all, read_body, read_until

POST = b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%b"
CHUNKED = b"POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
CHUNKS = CHUNKED + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nt: v\r\n\r\n"
CLOSE = PLAIN.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")
SOON = DoorLimits(linger_within_s=0.1, stop_within_s=0.5)


def _post(body: bytes) -> bytes:
    return POST % (len(body), body)


async def answer(send: Any, body: bytes = b"hello", *fields: tuple[bytes, bytes]) -> None:
    """A whole answer of 200."""
    headers = [(b"content-length", b"%d" % len(body)), *fields]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


# --- one after the other ---


async def test_requests_sent_at_once_are_answered_in_their_order() -> None:
    """Whatever way their bodies come."""
    async with open_door() as opened:
        answers = await opened.talk(_post(b"one") + CHUNKS + PLAIN + _post(b"") + _post(b"five") + CLOSE)
    assert [b"one", b"abcde", b"hello", b"", b"five", b"hello"] == [
        part.rpartition(b"\r\n\r\n")[2] for part in answers.split(b"HTTP/1.1 200 OK\r\n")[1:]
    ]


async def test_a_request_that_drips_in_is_served() -> None:
    """Head and body a byte at a time, twice."""
    async with open_door() as opened, await opened.connect() as client:
        for body in (b"one", b"two"):
            for at in range(len(_post(body))):
                await client.send_all(_post(body)[at : at + 1])
            assert (await read_until(client, body)).startswith(b"HTTP/1.1 200 ")


async def test_many_requests_in_one_piece_do_not_keep_others_waiting() -> None:
    """Between two of them everybody has a turn, although nothing had to be waited for."""
    turns: list[str] = []

    async def quick(scope: Any, receive: Any, send: Any) -> None:
        turns.append(scope["path"])
        await answer(send)

    async with open_door(application=quick) as opened, await opened.connect() as many, await opened.connect() as one:
        for client in (many, one):  # both heads have been read by the door
            await client.send_all(PLAIN)
            await read_until(client, b"hello")
        await many.send_all(PLAIN * 400)
        await one.send_all(PLAIN.replace(b"/hello", b"/one"))
        await read_until(one, b"hello")
        assert turns.index("/one") < 300
        await read_until(many, b"hello", times=400)


# --- the body ---


@pytest.mark.parametrize(
    ("sent", "later", "whole"),
    [
        (_post(b""), b"", True),
        (_post(b"body"), b"", True),
        (PLAIN, b"", True),
        (_post(b"body")[:-1], b"y", False),
        (CHUNKS, b"", False),
    ],
)
async def test_an_application_is_told_that_all_of_a_body_has_come(sent: bytes, later: bytes, *, whole: bool) -> None:
    """And then hears it at once; of chunks nobody knows before they are read."""
    told: list[tuple[bool, bool]] = []

    async def listening(scope: Any, receive: Any, send: Any) -> None:
        at_once = False
        with trio.CancelScope() as without_waiting:
            without_waiting.cancel()
            at_once = not (await receive())["more_body"]
        told.append((WHOLE in scope["extensions"], at_once))
        await answer(send)

    async with open_door(SOON, application=listening) as opened, await opened.connect() as client:
        await client.send_all(sent)
        await read_until(client, b"hello")
        await client.send_all(later)
    assert [(whole, whole or sent == CHUNKS)] == told


async def test_many_small_chunks_in_one_piece_do_not_keep_others_waiting() -> None:
    """They cost more than a request each; between some of them everybody has a turn."""
    turns = 0

    async def counting(scope: Any, receive: Any, send: Any) -> None:
        nonlocal turns
        more = True
        while more:
            more = (await receive()).get("more_body", False)
            turns += 1
        await answer(send)

    async with open_door(application=counting) as opened, await opened.connect() as client:
        await client.send_all(CHUNKED + b"8\r\nabcdefgh\r\n" * 1_200 + b"0\r\n\r\n")
        await read_until(client, b"hello")
    assert 4 <= turns


async def test_a_body_is_asked_for_only_when_the_application_wants_it() -> None:
    """`Expect: 100-continue`: one that is refused unread is never sent."""
    expecting = b"POST %b HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n"
    async with open_door(SOON) as opened, await opened.connect() as client:
        await client.send_all(expecting % b"/echo")
        assert b"HTTP/1.1 100 Continue\r\n\r\n" == await read_until(client, b"\r\n\r\n")
        await client.send_all(b"body")
        assert (await read_until(client, b"body")).startswith(b"HTTP/1.1 200 ")
        await client.send_all(expecting % b"/hello")
        assert (await read_all(client)).startswith(b"HTTP/1.1 200 ")


async def test_a_body_nobody_asked_for_is_skipped_if_it_is_there() -> None:
    """And the connection goes on; one that is still to come ends it."""
    unread = b"POST /hello HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\n"
    async with open_door(SOON) as opened, await opened.connect() as client:
        await client.send_all(unread + b"body" + PLAIN)
        await read_until(client, b"hello", times=2)
        await client.send_all(unread)
        with trio.fail_after(10):
            assert (await read_all(client)).endswith(b"hello")


async def test_half_a_body_and_the_end_is_told_as_the_end() -> None:
    """The application never takes it for the whole."""
    heard: list[Any] = []

    async def listening(scope: Any, receive: Any, send: Any) -> None:
        while not heard or heard[-1]["type"] != "http.disconnect":
            heard.append(await receive())

    async with open_door(SOON, application=listening) as opened, await opened.connect() as client:
        await client.send_all(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhalf")
        await client.send_eof()
        await read_all(client)
    assert [(b"half", True)] == [(each["body"], each["more_body"]) for each in heard[:-1]]


async def test_a_broken_body_is_refused_and_told_as_the_end() -> None:
    """400 instead of the application's answer, which nobody would believe."""
    head = CHUNKED + b"3\r\nabc\r\n"
    async with open_door(SOON) as opened, await opened.connect() as client:
        await client.send_all(head)
        await client.send_all(b"zz\r\n")
        answers = await read_all(client)
    assert (1, True) == (answers.count(b"HTTP/1.1"), answers.startswith(b"HTTP/1.1 400 "))


async def test_a_body_that_nobody_takes_stays_with_its_sender() -> None:
    """No more of it is read than was asked for."""
    taken = trio.Event()

    async def sipping(scope: Any, receive: Any, send: Any) -> None:
        assert (await receive())["more_body"]
        taken.set()
        await trio.sleep_forever()

    async with open_door(SOON, application=sipping) as opened, await opened.connect() as client:
        await client.send_all(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 900000000\r\n\r\n")
        with trio.move_on_after(10) as blocked:
            async with trio.open_nursery() as nursery:

                async def send() -> None:
                    while True:
                        await client.send_all(b"x" * 1_000_000)

                nursery.start_soon(send)
                await taken.wait()
                await wait_all_tasks_blocked(0.05)
                nursery.cancel_scope.cancel()
        assert not blocked.cancelled_caught
        opened.door.close()


# --- the end ---


async def test_an_application_that_waits_hears_that_its_client_has_gone() -> None:
    """Behind the end of the body, also with requests of the same client waiting."""
    heard = trio.Event()

    async def waiting(scope: Any, receive: Any, send: Any) -> None:
        await read_body(receive)
        assert "http.disconnect" == (await receive())["type"]
        heard.set()

    async with open_door(SOON, application=waiting) as opened:
        client = await opened.connect()
        await client.send_all(_post(b"body") + PLAIN)
        await wait_all_tasks_blocked(0.01)
        await client.aclose()
        with trio.fail_after(10):
            await heard.wait()
        assert [] == opened.log.lines


async def test_an_application_that_listens_beside_its_answer_hears_that_it_is_out() -> None:
    """Nobody is left waiting for a client that stays."""

    async def both(scope: Any, receive: Any, send: Any) -> None:
        async def listen() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        async with trio.open_nursery() as nursery:
            nursery.start_soon(listen)
            await wait_all_tasks_blocked(0.01)
            await answer(send)

    async with open_door(application=both) as opened, await opened.connect() as client:
        for _ in range(2):
            await client.send_all(PLAIN)
            with trio.fail_after(10):
                await read_until(client, b"hello")


async def test_an_answer_that_breaks_off_ends_its_connection() -> None:
    """A short one would be taken for whole, or the next for its rest. It is logged."""

    async def breaking(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise RuntimeError("the application failed")

    async with open_door(SOON, application=breaking) as opened:
        with trio.fail_after(10):
            assert (await opened.talk(PLAIN + PLAIN)).endswith(b"\r\n\r\nhalf")
    assert ["the application failed"] == [str(line["exc_info"]) for line in opened.log.lines]


@pytest.mark.parametrize("field", [(b"a", b"b\r\nset-cookie: c=d"), (b"content-length", b"1")])
async def test_an_answer_that_would_be_misread_is_not_sent(field: tuple[bytes, bytes]) -> None:
    """500 or the end instead, and a line in the log."""

    async def misleading(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [field]})
        await send({"type": "http.response.body", "body": b"hello", "more_body": False})

    async with open_door(SOON, application=misleading) as opened:
        with trio.fail_after(10):
            answered = await opened.talk(PLAIN)
    assert b"set-cookie" not in answered
    assert b"hello" not in answered
    assert ["http_failed"] == [line["event"] for line in opened.log.lines]


async def test_an_answer_without_a_body_has_none_whatever_the_application_sends() -> None:
    """To a HEAD, and with statuses that have none; what follows on the connection is not taken for one."""
    statuses = {"/hello": 200, "/none": 204, "/same": 304}

    async def generous(scope: Any, receive: Any, send: Any) -> None:
        fields = [(b"content-length", b"5")]
        await send({"type": "http.response.start", "status": statuses[scope["path"]], "headers": fields})
        await send({"type": "http.response.body", "body": b"hello", "more_body": False})

    sent = [PLAIN.replace(b"GET", b"HEAD"), *(PLAIN.replace(b"/hello", path) for path in (b"/none", b"/same")), CLOSE]
    async with open_door(SOON, application=generous) as opened:
        answers = await opened.talk(b"".join(sent))
    assert (4, 1, True) == (answers.count(b"HTTP/1.1 "), answers.count(b"hello"), answers.endswith(b"hello"))
    assert [] == opened.log.lines


async def test_what_is_said_behind_the_end_of_an_answer_is_a_failure_that_nobody_hears() -> None:
    """But the log has it."""

    async def going_on(scope: Any, receive: Any, send: Any) -> None:
        await answer(send)
        await send({"type": "http.response.body", "body": b"more", "more_body": False})

    async with open_door(SOON, application=going_on) as opened:
        answers = await opened.talk(PLAIN + CLOSE)
    assert (2, 0) == (answers.count(b"hello"), answers.count(b"more"))
    assert ["UnexpectedMessageError"] * 2 == [type(line["exc_info"]).__name__ for line in opened.log.lines]


async def test_a_connection_carries_so_many_requests() -> None:
    """The last answer says that it is the last one."""
    async with open_door(SOON, keep_alive_max_requests=3) as opened:
        answers = await opened.talk(PLAIN * 5)
    assert (3, 1) == (answers.count(b"hello"), answers.count(b"connection: close"))
    assert b"connection: close" in answers.split(b"hello")[2]


async def test_a_request_under_way_when_the_door_closes_is_answered() -> None:
    """Its answer is the last one and says so."""
    go_on = trio.Event()

    async def late(scope: Any, receive: Any, send: Any) -> None:
        await go_on.wait()
        await answer(send)

    async with open_door(application=late) as opened, await opened.connect() as client:
        await client.send_all(PLAIN + PLAIN)
        await wait_all_tasks_blocked(0.01)
        opened.door.close()
        await wait_all_tasks_blocked(0.01)
        go_on.set()
        with trio.fail_after(10):
            answers = await read_all(client)
    assert (1, 1) == (answers.count(b"hello"), answers.count(b"connection: close"))


async def test_an_answer_in_pieces_to_a_client_of_http10_ends_with_its_connection() -> None:
    """It knows no chunks."""

    async def in_pieces(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for piece in (b"one", b"two"):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async with open_door(SOON, application=in_pieces) as opened:
        old, new = await opened.talk(b"GET / HTTP/1.0\r\n\r\n"), await opened.talk(CLOSE)
    assert old.endswith(b"\r\n\r\nonetwo")
    assert new.endswith(b"\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")
