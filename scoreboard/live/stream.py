"""The stream under trio-websocket, through which every byte to a client goes in order.

trio-websocket writes its own frames (pongs, the close) with `send_all`; the boards' frames are ready bytes, the same
for all clients, and go out with `direct` or `write_now`: one system call and no task switch each.
"""

from __future__ import annotations

import math
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

import trio

from scoreboard.live.endpoint import endpoint_of, readable, received
from scoreboard.live.frames import PING, close_frame, is_close
from scoreboard.live.guard import FrameGuard, FrameViolation
from scoreboard.live.peer import is_gone

_TCP_USER_TIMEOUT = getattr(socket, "TCP_USER_TIMEOUT", None)  # Linux only
_READ_BYTES = 16 * 1024
RECEIVE_BYTES = 4 * 1024


class FeedStream(trio.abc.Stream):
    """Whole frames in, whole frames out.

    Bytes that were taken go out before all that is taken later, also when the task that brought them is cancelled; so
    there is never half a frame with something else behind it. Not more than one call's bytes are ever kept here. After
    a failed write nothing more is sent. After a close frame neither, as RFC 6455 demands.

    Reading: first `rest`, then what the client sends, in portions, so that others have their turn between any two.

    The socket belongs to who accepted it: `aclose` ends the talk and leaves it open. Of a socket's stream the Trio
    socket is replaced by one round an object of the standard library, which we hold too: its `send` is the fastest way
    there is, and once closed it fails, while the bare number of its descriptor may then be another client's.

    Args:
        transport: A socket's stream; any other works too, then `direct` is None and `write_now` costs a task switch.
        rest: What has been read behind the handshake.
        guard: Bounds what the client sends.
    """

    __slots__ = (
        "_broken",
        "_busy",
        "_closed",
        "_direct",
        "_guard",
        "_pending",
        "_reading",
        "_rest",
        "_said_goodbye",
        "_sending",
        "_socket",
        "_transport",
        "_unread",
        "_write_scope",
        "heard_at",
        "pinged_at",
        "violation",
    )

    def __init__(self, transport: trio.abc.Stream, rest: bytes = b"", guard: FrameGuard | None = None) -> None:
        self._transport = transport
        self._socket = endpoint_of(transport)
        self._direct = self._socket.send if self._socket is not None else None
        self._rest = rest
        self._unread = b""  # read before, and judged by the guard
        self._guard = guard or FrameGuard()
        self._pending = b""
        self._busy: Callable[[], None] = _nobody_cares
        self._sending: trio.Lock | None = None
        self._reading: trio.CancelScope | None = None
        self._write_scope: trio.CancelScope | None = None
        self._broken = False
        self._closed = False
        self._said_goodbye = False
        self.violation: FrameViolation | None = None
        self.heard_at = trio.current_time()
        self.pinged_at = -math.inf

    def __repr__(self) -> str:
        state = "broken" if self._broken else "closed" if self._closed else "open"
        return f"<FeedStream {state}, {len(self._pending)} bytes pending>"

    # --- writing ---

    @property
    def direct(self) -> Callable[[bytes], int] | None:
        """Sends at once what fits and raises an OSError if that is nothing; may be used until `when_busy`'s call.

        None while something else is on its way, when the stream is at its end, and when it is no socket's.
        """
        return self._direct if self._idle else None

    def when_busy(self, busy: Callable[[], None]) -> None:
        """Call this whenever bytes are left for which somebody has to wait (`drained`), or nothing more is sent."""
        self._busy = busy

    @property
    def _idle(self) -> bool:
        return not (self._pending or self._said_goodbye or self._broken or self._closed)

    def finish(self, rest: bytes) -> None:
        """Keep what `direct` did not send of a frame, to be sent before all else."""
        self._pending = rest
        self._busy()

    def write_now(self, frames: bytes) -> bool:
        """Take whole frames if nothing else is on its way and the client can take at least their beginning.

        False, and nothing was taken, when the client is behind or the stream is at its end; `drained` tells which.
        Never raises.
        """
        if not self._idle:
            return False
        try:
            taken = self._direct(frames) if self._direct is not None else 0
        except BlockingIOError:
            return False
        except OSError:
            self._break()
            return False
        if taken < len(frames):
            self.finish(frames[taken:])
        return True

    async def drained(self) -> None:
        """Wait until all that was taken has left and the client can take more.

        Raises:
            trio.BrokenResourceError: it never will.
            trio.ClosedResourceError: the stream is at its end.
        """
        async with self._one_at_a_time:
            self._check()
            await self._flush()
            with self._writing():
                if self._socket is None:
                    await self._transport.wait_send_all_might_not_block()
                else:
                    await trio.lowlevel.wait_writable(self._socket)
        self._check()

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send after all that was taken before. Cancelled, it has either taken all of `data` or nothing.

        Raises:
            trio.BrokenResourceError, trio.ClosedResourceError: as `drained`.
        """
        frames = bytes(data)
        if not self._take(frames):
            async with self._one_at_a_time:
                self._check()
                await self._flush()
                if not self._take(frames):
                    self._check()
                    self.finish(frames)
                await self._flush()
        elif self._pending:
            async with self._one_at_a_time:
                await self._flush()
        else:
            await trio.lowlevel.checkpoint()

    def _take(self, frames: bytes) -> bool:
        """`write_now`; nothing may be sent behind a close frame."""
        taken = self.write_now(frames)
        if taken and is_close(frames):
            self._said_goodbye = True
            self._busy()
        return taken

    async def send(self, frames: bytes) -> None:
        """`send_all`, as the connection's actor calls it."""
        await self.send_all(frames)

    async def wait_send_all_might_not_block(self) -> None:
        """As `drained`."""
        await self.drained()

    @property
    def _one_at_a_time(self) -> trio.Lock:
        """Made for those who need it; most clients take all at once."""
        if self._sending is None:
            self._sending = trio.Lock()
        return self._sending

    async def _flush(self) -> None:
        with self._writing():
            while self._pending:
                await self._send_some()

    async def _send_some(self) -> None:
        if self._socket is None:
            await self._send_through()
            return
        try:
            self._pending = self._pending[self._socket.send(self._pending) :]
        except BlockingIOError:
            await trio.lowlevel.wait_writable(self._socket)

    async def _send_through(self) -> None:
        try:
            await self._transport.send_all(self._pending)
        except trio.Cancelled:
            self._break()  # such a stream does not say how much it has sent
            raise
        self._pending = b""

    # --- reading ---

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """What the client sends, as fast as the guard allows.

        Raises:
            trio.BrokenResourceError: the connection is broken, or `violation` says what the client did.
            trio.ClosedResourceError: the stream is at its end.
        """
        self._check_open()
        with trio.CancelScope() as self._reading:
            if self._unread:
                data, self._unread = self._unread, b""
                await trio.lowlevel.checkpoint()
                return data
            return await self._guarded(await self._next(max_bytes or _READ_BYTES))
        raise trio.ClosedResourceError("the stream was closed while it was read")

    async def receive(self) -> bytes:
        """As `receive_some`, for the task that calls `aclose` itself: nobody else can end it, which costs a scope.

        Not more than trio-websocket takes at once. Cancelled, it loses nothing: what has come is `unread`.
        """
        self._check_open()
        come = None
        if self._socket is not None and not self._rest:
            await readable(self._socket)  # others had their turn: no need for another one
            come = received(self._socket, RECEIVE_BYTES)
        return await self._guarded(await self._next(RECEIVE_BYTES) if come is None else come)

    def unread(self, data: bytes) -> None:
        """Let the next `receive_some` begin with these bytes, the last that came."""
        self._unread = data

    async def _next(self, max_bytes: int) -> bytes:
        if self._rest:
            await trio.lowlevel.checkpoint()
            data, self._rest = self._rest[:max_bytes], self._rest[max_bytes:]
            return data
        if self._socket is None:
            return bytes(await self._transport.receive_some(max_bytes))
        await trio.lowlevel.checkpoint_if_cancelled()
        come = received(self._socket, max_bytes)
        if come is not None:
            await trio.lowlevel.cancel_shielded_checkpoint()
        while come is None:
            await readable(self._socket)
            come = received(self._socket, max_bytes)
        return come

    async def _guarded(self, data: bytes) -> bytes:
        """As much of it as is handed on at once, when it may be; the rest is for later."""
        self.heard_at = trio.current_time()
        try:
            wait_s = self._guard.feed(data, self.heard_at)
        except FrameViolation as violation:
            self.violation = violation
            raise trio.BrokenResourceError(violation.reason) from violation
        if left := self._guard.left:
            data, self._rest = data[:-left], data[-left:] + self._rest
        if wait_s:
            self._unread = data  # if it is not waited for
            await trio.sleep(wait_s)
            self._unread = b""
        return data

    def between_messages(self) -> bool:
        """Whether what has been received so far ends with a message."""
        return self._guard.between_messages

    # --- coming to an end ---

    @property
    def is_broken(self) -> bool:
        """Whether nothing more can be sent, not even a close frame."""
        return self._broken

    async def aclose(self) -> None:
        """End the talk for whoever reads or writes here; what was taken may still be sent by `say_goodbye`."""
        self._closed = True
        self._busy()
        if self._reading is not None:
            self._reading.cancel()
        await trio.lowlevel.checkpoint()

    async def say_goodbye(self, code: int, reason: str = "") -> None:
        """Finish what was taken, send a close frame if none has gone out, and say that no more will come.

        For a stream at its end; never raises for a client that is gone. The caller bounds it.
        """
        await self.aclose()
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            await self.finish_all()
            async with self._one_at_a_time:
                if not self._said_goodbye and not self._broken:
                    self._pending, self._said_goodbye = close_frame(code, reason), True
                    await self._flush()

    async def finish_all(self) -> None:
        """Send what was taken, also at the end of the talk. Raises as `drained`."""
        async with self._one_at_a_time:
            await self._flush()

    def give_up(self) -> None:
        """End the sending side at once; a task that is in the middle of a write ends with it, even a shielded one."""
        self._break()
        if self._write_scope is not None:
            self._write_scope.cancel()
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_WR)
        self._busy = _nobody_cares  # which knows this stream: together they would stay for the garbage collector

    # --- the other side ---

    def trust(self) -> None:
        """The client has said who it is: it may send faster."""
        self._guard.trust()

    def dismiss(self, code: int, reason: str) -> None:
        """The talk is over for this reason, as if the client had broken a rule; what was taken still goes out."""
        self.violation = self.violation or FrameViolation(code, reason)

    def ask(self, now: float) -> None:
        """Ask for a sign of life; if that is not taken, the client is behind, and what it has yet to read does it."""
        self.pinged_at = now
        self.write_now(PING)

    def allow_pauses(self) -> None:
        """Take away the kernel's own deadline for unread bytes: a client that stops reading is only behind."""
        if self._socket is None or _TCP_USER_TIMEOUT is None:
            return
        with suppress(OSError):  # where another worker passes it on, that one has TCP
            self._socket.setsockopt(socket.IPPROTO_TCP, _TCP_USER_TIMEOUT, 0)

    def peer_is_gone(self, within_s: float) -> bool:
        """Whether bytes of ours have met no sign of life for so long; see `scoreboard.live.peer`."""
        return self._socket is None or is_gone(self._socket, within_s)

    @contextmanager
    def _writing(self) -> Generator[None]:
        """Socket errors as a stream's errors, after which it is broken for good; `give_up` ends the body."""
        with trio.CancelScope() as self._write_scope:
            try:
                yield
                return
            except OSError as error:
                self._break()
                raise trio.BrokenResourceError(f"socket connection broken: {error}") from error
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                self._break()
                raise
        raise trio.BrokenResourceError("the stream was given up")

    def _break(self) -> None:
        self._broken = True
        self._pending = b""
        self._busy()

    def _check(self) -> None:
        if self._said_goodbye:
            raise trio.ClosedResourceError("a close frame has been sent")
        self._check_open()

    def _check_open(self) -> None:
        if self._broken or self.violation is not None:
            raise trio.BrokenResourceError("the connection is broken")
        if self._closed:
            raise trio.ClosedResourceError("the stream has been closed")


def _nobody_cares() -> None:
    """Before anybody has asked to be told."""
