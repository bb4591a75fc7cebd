"""Socket.IO as the composition root sees it: two ways in, one set of sessions."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import trio

from scoreboard.live.handshake import AllowOrigin
from scoreboard.live.socketio.polling import Polling, Served
from scoreboard.live.socketio.sessions import Sessions
from scoreboard.live.socketio.sockets import SocketIoSockets
from scoreboard.live.socketio.world import SocketIoWorld


class SocketIo:
    """Real clients of Socket.IO 3 and 4, on either way.

    Attributes:
        application: answers requests (ASGI).
        sockets: serves WebSockets that the door hands over.

    Args:
        world: What sessions need from outside.
        site_of: What shares the limit of one address.
        allow_origin: Whether a page of an origin may ask, given the values of `Host`.
        served: Hears of every answered request: method, path, status, seconds.
    """

    def __init__(
        self,
        world: SocketIoWorld,
        site_of: Callable[[str], str],
        allow_origin: AllowOrigin = lambda *_: True,
        served: Served = lambda *_: None,
    ) -> None:
        self._sessions = Sessions(world, site_of)
        self.application = Polling(self._sessions, world.limits, allow_origin, served)
        self.sockets = SocketIoSockets(self._sessions, world.limits, allow_origin)

    def __repr__(self) -> str:
        return f"<SocketIo {self._sessions!r}>"

    @property
    def connected(self) -> int:
        """How many sessions there are."""
        return len(self._sessions)

    def running(self, closing: trio.Event) -> AbstractAsyncContextManager[None]:
        """Serve while the body runs, until `closing`."""
        return self._sessions.running(closing)

    async def send_home(self, over_s: float, back_after_s: Callable[[], float]) -> None:
        """End all sessions in waves over so many seconds, as being renewed; see `Sessions.send_home`."""
        await self._sessions.send_home(over_s, back_after_s)

    def release(self, sid: str) -> None:
        """Answer a poll of that session which waits for packets: who passes it on is leaving."""
        if (session := self._sessions.find(sid)) is not None:
            session.release()
