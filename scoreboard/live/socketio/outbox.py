"""All that goes to one client of Socket.IO, in order, whatever the way: requests that wait, later perhaps a WebSocket.

Everything comes as ready frames of a WebSocket, one encoding for all clients. While the client polls, frames wait here
for its next request, and only so many: whoever polls slowly misses steps and gets one fresh board, as everywhere.
"""

from __future__ import annotations

from collections.abc import Callable

import trio

from scoreboard.live.frames import texts_in
from scoreboard.live.stream import FeedStream

#: While less than this waits for a request, one more step is taken.
ROOM_BYTES = 16 * 1024


class Outbox:
    """The transport of a connection's actor (see `actors.connection.connection.Transport`).

    Args:
        trust: Is called when the client has said who it is, as long as there is no WebSocket.
    """

    __slots__ = ("_busy", "_changed", "_closed", "_size", "_stream", "_trust", "_trusted", "_waiting", "dismissed")

    def __init__(self, trust: Callable[[], None]) -> None:
        self._trust = trust
        self._trusted = False
        self._stream: FeedStream | None = None
        self._waiting: list[bytes] = []
        self._size = 0
        self._busy: Callable[[], None] = _nobody_cares
        self._changed: trio.Event | None = None  # of who waits until something waits that did not, or does no more
        self._closed = False
        self.dismissed = False

    def __repr__(self) -> str:
        return f"<Outbox by {'polling' if self._stream is None else 'websocket'}, {self._size} bytes waiting>"

    # --- what the actor asks ---

    @property
    def direct(self) -> Callable[[bytes], int] | None:
        """The WebSocket's, see there."""
        return None if self._stream is None else self._stream.direct

    def when_busy(self, busy: Callable[[], None]) -> None:
        """Call this when somebody has to wait for `drained`."""
        self._busy = busy
        if self._stream is not None:
            self._stream.when_busy(busy)

    def finish(self, rest: bytes) -> None:
        """The rest of frames whose beginning `direct` sent."""
        if self._stream is not None:
            self._stream.finish(rest)

    def write_now(self, frames: bytes) -> bool:
        """Take whole frames, if there is room; see `FeedStream`."""
        if self._stream is not None:
            return self._stream.write_now(frames)
        if self._closed or self._size >= ROOM_BYTES:
            return False
        self._waiting.append(frames)
        self._size += len(frames)
        self._stir()
        return True

    async def drained(self) -> None:
        """Wait until there is room.

        Raises:
            trio.BrokenResourceError, trio.ClosedResourceError: there never will be.
        """
        while self._stream is None:
            self._check_open()
            if self._size < ROOM_BYTES:
                await trio.lowlevel.checkpoint()
                return
            await self._change()
        await self._stream.drained()

    async def send(self, frames: bytes) -> None:
        """Send after all that was taken before; waits. Raises as `drained`."""
        while self._stream is None:
            self._check_open()
            if self.write_now(frames):
                await trio.lowlevel.checkpoint()
                return
            await self._change()
        await self._stream.send(frames)

    def dismiss(self, _code: int, _reason: str) -> None:
        """See `Transport.dismiss`; its session tells the client by whatever way there is."""
        self.dismissed = True

    def trust(self) -> None:
        """The client has said who it is: it may send faster."""
        self._trusted = True
        self._trust()
        if self._stream is not None:
            self._stream.trust()

    # --- what the session asks ---

    async def filled(self) -> None:
        """Wait until something waits for a request, or never will."""
        while not self._waiting and not self._closed and self._stream is None:
            await self._change()

    def take(self) -> list[str]:
        """All packets that wait."""
        frames, self._waiting, self._size = b"".join(self._waiting), [], 0
        self._stir()
        return texts_in(frames)

    async def switch(self, stream: FeedStream) -> None:
        """Go by this WebSocket from now on. What waits goes first; what comes meanwhile waits behind it."""
        while self._waiting:
            frames, self._waiting, self._size = b"".join(self._waiting), [], 0
            await stream.send(frames)
        self._stream = stream
        stream.when_busy(self._busy)
        if self._trusted:
            stream.trust()
        self._stir()

    def close(self) -> None:
        """Nothing more is taken; who waits hears that it is over."""
        self._closed = True
        self._busy = _nobody_cares
        self._stir()

    async def _change(self) -> None:
        if self._changed is None:
            self._changed = trio.Event()
        await self._changed.wait()

    def _stir(self) -> None:
        changed, self._changed = self._changed, None
        if changed is not None:
            changed.set()

    def _check_open(self) -> None:
        if self._closed:
            raise trio.ClosedResourceError("the session is over")


def _nobody_cares() -> None:
    """Before anybody has asked to be told."""
