"""The other workers of this machine: each has a socket where the others pass on what it holds, and ask for its numbers.

What is said there begins with a line of a fixed length. The directory is private, so whoever comes is one of us.
"""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import trio

from scoreboard.door.relay import OpenLine
from scoreboard.live.socketio import session_asked, worker_asked
from scoreboard.observe.joined import joined
from scoreboard.server.crew.sockets import socket_in
from scoreboard.server.crew.tally import Tally
from scoreboard.server.one_look import OneLook
from scoreboard.server.place import Place

#: Long enough for a word and an address.
_HEAD_BYTES = 64
_RELAY = "RELAY"
#: What a worker may be asked: its numbers, how it is; to say that it will end, to end, to read its boards anew.
METRICS, STATUS, WARN, DRAIN, REBUILD = "METRICS", "STATUS", "WARN", "DRAIN", "REBUILD"
#: And to answer at once a poll of a session of Socket.IO, which somebody who leaves has passed on.
RELEASE = "RELEASE"
#: No id of ours is longer; both fit into a head.
_SID_BYTES = 50
_HEARD_WITHIN_S = 5.0
_BACKLOG = 1024
#: For the numbers of another worker; one that does not tell them in time is told to be away.
ASKED_WITHIN_S = 1.0

TakeOver = Callable[[trio.SocketStream, str], Awaitable[None]]
Answer = Callable[[str], Awaitable[bytes]]


class Neighbours:
    """Those of one worker. Of a server of one process, whose `place` is None, there are none."""

    def __init__(self, place: Place | None) -> None:
        self._place = place
        self._tally = None if place is None else Tally(place.sockets)
        self._told = OneLook(self._ask_others)

    def __repr__(self) -> str:
        return f"<Neighbours of {self._place!r}>"

    def elsewhere(self, target: str) -> OpenLine | None:
        """How to reach the worker that holds what a target asks for; None if this one does, or nobody."""
        place, seat = self._place, worker_asked(target)
        if place is None or seat is None or seat == place.seat or not socket_in(place.sockets, seat).exists():
            return None
        return partial(_line_to, place.sockets, seat)

    async def hurry(self, target: str) -> None:
        """Have the worker that holds a session of Socket.IO answer the poll that waits there."""
        seat, sid = worker_asked(target), session_asked(target)
        if self._place is not None and seat is not None and sid is not None and sid.isascii() and len(sid) < _SID_BYTES:
            await ask_worker(self._place.sockets, seat, f"{RELEASE} {sid}")

    async def metrics(self, own: bytes) -> bytes:
        """The numbers of all, each with its worker's; those of one process as they are.

        The others are asked once for all who want to know meanwhile.
        """
        if self._place is None:
            return own
        told = {**await self._told(), self._place.number: own}
        return joined(dict(sorted(told.items())))

    @asynccontextmanager
    async def served(self, take_over: TakeOver, answers: Mapping[str, Answer]) -> AsyncGenerator[None]:
        """Serve them, and the parent, while the body runs.

        What they pass on is taken over; what they ask is answered by what stands in `answers` under the word, and is
        given the rest of the line. `METRICS` are the numbers of this one.
        """
        if self._place is None:
            yield
            return
        serve = partial(self._serve, take_over=take_over, answers=answers)
        async with trio.open_nursery() as nursery:
            await nursery.start(trio.serve_listeners, serve, [self._listening(self._place)])
            yield
            nursery.cancel_scope.cancel()

    # --- as who asks ---

    async def _ask_others(self) -> Mapping[int, bytes | None]:
        told: dict[int, bytes | None] = {}
        place, tally = self._place, self._tally
        if place is None or tally is None:
            return told
        async with trio.open_nursery() as nursery:
            for number in range(1, place.count + 1):
                if number != place.number:
                    nursery.start_soon(_ask_for_numbers, place.sockets, number, tally.seat_of(number), told)
        return told

    # --- as who is asked ---

    @staticmethod
    def _listening(place: Place) -> trio.SocketListener:
        path = socket_in(place.sockets, place.seat)
        path.unlink(missing_ok=True)  # of one that was killed
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(os.fspath(path))
        listener.listen(_BACKLOG)
        return trio.SocketListener(trio.socket.from_stdlib_socket(listener))

    async def _serve(self, stream: trio.SocketStream, take_over: TakeOver, answers: Mapping[str, Answer]) -> None:
        try:
            what, rest = "", ""
            with trio.move_on_after(_HEARD_WITHIN_S):
                what, _, rest = (await _head_of(stream)).partition(" ")
            if what == _RELAY:
                await take_over(stream, rest)
            elif what in answers:
                text = await answers[what](rest)
                with trio.move_on_after(_HEARD_WITHIN_S):
                    await stream.send_all(text)
        except (trio.BrokenResourceError, trio.ClosedResourceError, UnicodeDecodeError):
            return


async def ask_worker(sockets: Path, seat: int, head: str, *, within_s: float = ASKED_WITHIN_S) -> bytes | None:
    """What the one on that seat answers to a word and its rest; None if it is gone, or does not answer in time."""
    text = b""
    with trio.move_on_after(within_s), suppress(OSError, trio.BrokenResourceError):
        async with await _said(sockets, seat, head) as line:
            while piece := await line.receive_some():
                text += piece
            return text or None
    return None


async def _ask_for_numbers(sockets: Path, number: int, seat: int, told: dict[int, bytes | None]) -> None:
    told[number] = await ask_worker(sockets, seat, METRICS)


async def _line_to(sockets: Path, seat: int, client: str) -> trio.SocketStream:
    return await _said(sockets, seat, f"{_RELAY} {client}")


async def _said(sockets: Path, seat: int, head: str) -> trio.SocketStream:
    line = await trio.open_unix_socket(str(socket_in(sockets, seat)))
    try:
        await line.send_all(head.encode("ascii").ljust(_HEAD_BYTES))
    except trio.BrokenResourceError as error:
        raise OSError("it is gone") from error
    return line


async def _head_of(stream: trio.SocketStream) -> str:
    """The first line, as far as it came."""
    head = b""
    while len(head) < _HEAD_BYTES and (piece := await stream.receive_some(_HEAD_BYTES - len(head))):
        head += piece
    return head.decode("ascii").rstrip()
