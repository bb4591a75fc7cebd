"""The line between the parent and one worker: a pair of sockets, the worker's end of which is its standard input.

The parent says what the worker is to do, and later hands it the listening sockets; that is all it ever says. The worker
says a byte at a time: that it is ready, once a second that it lives, and as long as it starts that it gets on. If it
cannot go on, it says why with its last words. When either ends, the other one sees it.
"""

from __future__ import annotations

import os
import select
import socket
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Self

import msgspec
import trio

from scoreboard.server.crew.errors import NoParent
from scoreboard.settings import Settings

READY, ALIVE = b"R", b"."
#: It lives, and its start got a step further, or waits for what nobody here can mend. No parent of before minds it.
STEP = b"+"
#: All that follows is a sentence.
LAST_WORDS = b"!"
_WORDS_CHARS = 500
BEAT_S = 1.0
ASSIGNED_WITHIN_S = 30.0
_LENGTH = struct.Struct("!I")
_LISTEN = b"L"
#: A host may have several addresses, each with a socket of its own.
_MOST_SOCKETS = 64


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker is to do: its seat, of how many, where their sockets stand, and the settings of all.

    `seat` is called `number` on the line: a worker of a version without seats takes it for its number, and no two that
    live have the same. `worker` is the number for people; 0 is that of a parent of such a version, where both are one.
    """

    seat: int = msgspec.field(name="number")
    worker: int = 0
    count: int
    sockets: str
    settings: Settings

    @property
    def number(self) -> int:
        """For people."""
        return self.worker or self.seat


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """The same as the parent has it, whose code may be older: settings are plain values that it need not know."""

    seat: int = msgspec.field(name="number")
    worker: int = 0
    count: int
    sockets: str
    settings: Mapping[str, Any]


class ParentEnd:
    """The parent's end. `theirs` is the worker's, to be its standard input and then closed here."""

    def __init__(self) -> None:
        self._socket, self.theirs = socket.socketpair()

    def __repr__(self) -> str:
        return f"<ParentEnd {self._socket.fileno()}>"

    def assign(self, assignment: Assignment | Orders) -> None:
        """Say what to do; a worker that is gone already is noticed otherwise."""
        text = msgspec.json.encode(assignment)
        with suppress(OSError):
            self._socket.sendall(_LENGTH.pack(len(text)) + text)
        self._socket.setblocking(False)

    async def heard(self) -> bytes:
        """What the worker has said since; nothing when it is gone."""
        while True:
            await trio.lowlevel.wait_readable(self._socket)
            try:
                return self._socket.recv(64)
            except BlockingIOError:
                continue
            except OSError:
                return b""

    def rest(self) -> bytes:
        """What the worker had said before it ended, without waiting."""
        said = b""
        with suppress(OSError):  # nothing more, or not even that
            while piece := self._socket.recv(1024):
                said += piece
        return said

    def hand_over(self, listening: list[int]) -> None:
        """Let it accept from these sockets too."""
        with suppress(OSError):
            socket.send_fds(self._socket, [_LISTEN], listening)

    def close(self) -> None:
        """The worker is gone, or to be let go."""
        if self._socket.fileno() >= 0:
            trio.lowlevel.notify_closing(self._socket)
        self._socket.close()


class WorkerEnd:
    """The worker's end."""

    def __init__(self, line: socket.socket) -> None:
        self._socket = line
        self._waits = False

    def __repr__(self) -> str:
        return f"<WorkerEnd {self._socket.fileno()}>"

    @classmethod
    def at_standard_input(cls) -> Self:
        """Take it from there, and leave nothing to be read.

        Raises:
            NoParent: it is no such thing.
        """
        try:
            line = socket.socket(fileno=os.dup(0))
        except OSError as error:
            raise NoParent("a worker is started by scoreboard serve --workers, not by hand") from error
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        return cls(line)

    def assignment(self) -> Assignment:
        """What to do; blocks. Raises NoParent."""
        self._socket.settimeout(ASSIGNED_WITHIN_S)
        try:
            (length,) = _LENGTH.unpack(self._exactly(_LENGTH.size))
            assignment = msgspec.json.decode(self._exactly(length), type=Assignment)
        except (OSError, msgspec.DecodeError) as error:
            raise NoParent("the parent did not say what to do") from error
        self._socket.setblocking(False)
        return assignment

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self._socket.recv(size - len(data))
            if not piece:
                raise NoParent("the parent is gone")
            data += piece
        return data

    async def beat(self) -> None:
        """Say once a second that the event loop turns."""
        while True:
            self._say(STEP if self._waits else ALIVE)
            await trio.sleep(BEAT_S)

    def step(self) -> None:
        """Say that the start of this worker has got further."""
        self._say(STEP)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Say meanwhile that this worker is not stuck: the store for which its start waits is another's business."""
        self._waits = True
        try:
            yield
        finally:
            self._waits = False

    async def listening(self) -> list[socket.socket]:
        """Say that this worker is ready, and wait for what it may accept from. Raises NoParent."""
        await self._insist(READY)
        await trio.lowlevel.wait_readable(self._socket)
        _, numbers, _, _ = socket.recv_fds(self._socket, 1, _MOST_SOCKETS)
        if not numbers:
            raise NoParent("the parent is gone")
        shared = [socket.socket(fileno=number) for number in numbers]
        for each in shared:
            each.setblocking(False)
        return shared

    def last_words(self, sentence: str) -> None:
        """Say why this worker cannot go on."""
        self._say(LAST_WORDS + sentence[:_WORDS_CHARS].encode("utf-8", "replace"))

    def _say(self, what: bytes) -> None:
        with suppress(OSError):  # whoever does not listen will be noticed otherwise
            self._socket.send(what)

    async def _insist(self, what: bytes) -> None:
        """Also to a parent that was stopped until the line was full of signs of life: it may go on."""
        while True:
            try:
                self._socket.send(what)
            except BlockingIOError:
                await trio.lowlevel.wait_writable(self._socket)
            except OSError:
                return  # it is gone, as will be read
            else:
                return

    def wait_until_parent_is_gone(self) -> None:
        """Blocks; for a thread, because an event loop that hangs would not see it."""
        poll = select.poll()
        poll.register(self._socket, 0)  # only its end
        poll.poll()
