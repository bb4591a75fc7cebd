"""How a talk on a WebSocket begins and ends, whatever is said on it: no client goes without a close frame."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import trio
from trio_websocket import ConnectionClosed, WebSocketConnection
from wsproto.utilities import LocalProtocolError

from scoreboard.live.inbox import Inbox
from scoreboard.live.stream import FeedStream

NORMAL, GOING_AWAY, INTERNAL_ERROR = 1000, 1001, 1011
#: The server is being renewed, and others serve (its meaning in IANA's registry: service restart).
RENEWED = 1012

#: How a talk ends when the client leaves, does not read our close frame in time, or sends a ping into our close
#: (trio-websocket then tries to answer it and may not). Whatever else comes out is a fault of ours.
_ENDS = (trio.BrokenResourceError, trio.ClosedResourceError, ConnectionClosed, LocalProtocolError)


class Bounds(Protocol):
    """In seconds: for the answer to a handshake, and for the client to answer our close frame."""

    @property
    def open_within_s(self) -> float:
        """See above."""
        ...

    @property
    def close_within_s(self) -> float:
        """See above."""
        ...


async def talk(stream: FeedStream, answer: bytes, converse: Callable[[], Awaitable[int]], bounds: Bounds) -> None:
    """Answer the handshake and converse; then say the code with which that ended, if nobody has.

    Raises:
        ExceptionGroup: of what is a fault of ours. The client has been told 1011.
    """
    code = INTERNAL_ERROR
    try:
        with trio.fail_after(bounds.open_within_s):
            await stream.send_all(answer)
        code = await converse()
    except* _ENDS:
        code = NORMAL
    finally:
        with trio.move_on_after(bounds.close_within_s, shield=True):
            await stream.say_goodbye(code, "" if stream.violation is None else stream.violation.reason)
        stream.give_up()


def parting(back_after_s: float | None, closing: trio.Event) -> tuple[int, str]:
    """Code and reason for who is sent home, or has left; the reason says after how many seconds to come back."""
    if back_after_s is not None:
        return renewed(back_after_s)
    return (GOING_AWAY if closing.is_set() else NORMAL), ""


def renewed(back_after_s: float) -> tuple[int, str]:
    """Code and reason for who is to come back so many seconds later."""
    return RENEWED, return_after(back_after_s)


def return_after(back_after_s: float) -> str:
    """The reason by which a client knows when to come back."""
    return f"retryAfter={back_after_s:.1f}"


async def close(
    stream: FeedStream, inbox: Inbox[Any], code: int, bounds: Bounds, reason: str = ""
) -> WebSocketConnection | None:
    """Close in good order; None where nobody is left to read it."""
    websocket = None if inbox.has_ended or stream.is_broken else inbox.websocket()
    if websocket is not None:
        with trio.move_on_after(bounds.close_within_s):
            await websocket.aclose(code, reason or None)
    return websocket


def code_of(stream: FeedStream, websocket: WebSocketConnection | None, otherwise: int) -> int:
    """The code with which it has ended, once nobody reads any more."""
    if stream.violation is not None:
        return stream.violation.code
    return websocket.closed.code if websocket is not None and websocket.closed is not None else otherwise
