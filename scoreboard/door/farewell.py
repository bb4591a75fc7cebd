"""The door's own last words: a short answer, and closing so that the client can still read it."""

from __future__ import annotations

import os
from contextlib import suppress
from http import HTTPStatus

import trio
from trio.socket import SHUT_WR

from scoreboard.door.limits import DoorLimits
from scoreboard.door.tls_stream import TlsStream
from scoreboard.door.transport import Transport
from scoreboard.door.words import Words

_READ_BYTES = 64 * 1024


def last_answer(words: Words, target: bytes, status: int, sentence: str, *, retry_after_s: int | None = None) -> bytes:
    """A whole response of HTTP/1.1, in the words for that target, after which the connection closes."""
    headers, body = words(target, status, sentence)
    wait = () if retry_after_s is None else ((b"retry-after", b"%d" % retry_after_s),)
    lines = [
        b"HTTP/1.1 %d %b" % (status, HTTPStatus(status).phrase.encode("ascii")),
        *(b"%b: %b" % field for field in (*headers, *wait)),
        b"content-length: %d" % len(body),
        b"connection: close",
    ]
    return b"\r\n".join([*lines, b"", b""]) + body


def say_at_once(stream: Transport, answer: bytes) -> None:
    """What the socket takes of a last answer without waiting: all of it, where nothing was said before."""
    with suppress(OSError):
        if isinstance(stream, TlsStream):
            stream.socket.send(answer)
        else:
            os.write(stream.socket.fileno(), answer)
        stream.socket.shutdown(SHUT_WR)


async def say_and_leave(stream: Transport, answer: bytes, limits: DoorLimits) -> None:
    """Send a last answer and linger. Never longer than `write_within_s` and `linger_within_s` together."""
    with trio.move_on_after(limits.write_within_s) as sending:
        await stream.send_all(answer)
    if not sending.cancelled_caught:
        await linger(stream, limits)


async def linger(stream: Transport, limits: DoorLimits) -> None:
    """Say that no more will come, then throw away what the client still sends until it hangs up, within bounds.

    Closing a socket with unread bytes in it makes the kernel reset the connection, and the client then often
    loses the answer that says what it did wrong.
    """
    try:
        with trio.move_on_after(limits.linger_within_s):
            await stream.send_eof()
            thrown_away = 0
            while thrown_away < limits.linger_bytes:
                data = await stream.receive_some(_READ_BYTES)
                if not data:
                    return
                thrown_away += len(data)
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        return  # it hung up first
