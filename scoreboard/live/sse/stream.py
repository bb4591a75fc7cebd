"""The bytes of one stream of events: as those of a WebSocket, without frames, and nothing to hear."""

from __future__ import annotations

from contextlib import suppress

import trio

from actors.connection.commands import ClientCommand
from scoreboard.live.guard import FrameGuard, FrameViolation
from scoreboard.live.sse.dialect import HEARTBEAT
from scoreboard.live.stream import FeedStream

#: What a client may send behind its request: nothing is understood, but some write ahead.
MOST_BYTES = 64 * 1024
#: Bytes of ours that met no sign of life for so long, and the other machine is gone.
UNANSWERED_S = 20.0


class EventStream(FeedStream):
    """Sends whole events. What the client sends is thrown away."""

    __slots__ = ()

    def __init__(self, transport: trio.abc.Stream, rest: bytes = b"") -> None:
        super().__init__(transport, rest, _Deaf())

    def __repr__(self) -> str:
        return f"<EventStream {'at its end' if self.is_broken else 'open'}>"

    def ask(self, now: float) -> None:
        """A comment, which nobody answers: that the other machine acknowledges what it gets is the sign of life."""
        alive = not self.peer_is_gone(UNANSWERED_S)
        self.pinged_at = now
        if self.write_now(HEARTBEAT) and alive:
            self.heard_at = now

    async def leave(self) -> None:
        """Finish what was taken; the end of the connection is the end of the events."""
        await self.aclose()
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            await self.finish_all()


class _Deaf(FrameGuard):
    """Lets anything in, until it is too much."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        super().__init__()
        self._left = MOST_BYTES

    def feed(self, data: bytes, now: float) -> float:  # noqa: ARG002 - as every guard is asked
        """Count; nothing of it is a frame."""
        self._left -= len(data)
        if self._left < 0:
            raise FrameViolation(1008, "Too much was sent behind the request.")
        return 0.0


class Silence:
    """In place of what a client says: nothing, until it leaves."""

    def __init__(self, stream: EventStream) -> None:
        self._stream = stream

    def __aiter__(self) -> Silence:
        return self

    async def __anext__(self) -> ClientCommand:
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            while await self._stream.receive():
                pass
        raise StopAsyncIteration
