"""All sessions of a server: their ids, how many there may be, and the clock that all of them share."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import trio

from actors.ports import Source
from scoreboard.live.caretaker import in_waves
from scoreboard.live.socketio.engine import End, Way
from scoreboard.live.socketio.places import Places
from scoreboard.live.socketio.query import session_id
from scoreboard.live.socketio.session import Session
from scoreboard.live.socketio.world import SocketIoWorld

#: Every session is looked at so often; a ping is late by so much at most.
LOOK_EVERY_S = 1.0
#: So many are looked at at once, evenly over that time: all may be due for a ping, and their answers come at once, too.
SLICE = 100
#: So many are ended at once.
ENDED = 20


class Sessions:
    """Serves while it is `running`.

    Args:
        world: What sessions need from outside.
        site_of: What shares the limit of one address.
    """

    def __init__(self, world: SocketIoWorld, site_of: Callable[[str], str]) -> None:
        self._world = world
        self._site_of = site_of
        self._open: dict[str, Session] = {}
        self._places = Places(world.limits.places)
        self._nursery: trio.Nursery | None = None
        self._end = End.OVER
        self.back_after_s: Callable[[], float] = lambda: 0.0  # of who is renewed

    def __len__(self) -> int:
        return len(self._open)

    def __repr__(self) -> str:
        return f"<Sessions, {self._places!r}>"

    @property
    def is_closing(self) -> bool:
        """Whether no new sessions begin, because it is not running or about to end."""
        return self._nursery is None

    @asynccontextmanager
    async def running(self, closing: trio.Event) -> AsyncGenerator[None]:
        """Let sessions begin and live while the body runs; all are ended when `closing` is set."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            nursery.start_soon(self._look_round)
            nursery.start_soon(self._end_all_when, closing)
            try:
                yield
            finally:
                self._nursery = None
                nursery.cancel_scope.cancel()

    def begin(self, way: Way, source: Source) -> Session | None:
        """A new session, or None when there are too many."""
        if self._nursery is None:
            return None
        place = self._places.take(self._site_of(source.address or ""))
        if isinstance(place, str):
            self._world.refused(place)
            return None
        sid = session_id(self._world.worker, self._world.new_id())
        session = Session(sid, way, self._world, source, place, self._forget)
        self._open[session.sid] = session
        self._nursery.start_soon(session.run)
        return session

    def find(self, sid: str) -> Session | None:
        """The session of that id, while it is not over."""
        return self._open.get(sid)

    async def send_home(self, over_s: float, back_after_s: Callable[[], float]) -> None:
        """End all that are open now, in waves over so many seconds; new ones may begin until `closing`.

        Who has a WebSocket is told after how many to come back; clients of Socket.IO choose pauses of their own.
        """
        self._end, self.back_after_s = End.RENEWED, back_after_s
        async for wave in in_waves(list(self._open.values()), over_s):
            for count, session in enumerate(wave, 1):
                if session.sid in self._open:
                    session.end(self._end)
                if count % ENDED == 0:
                    await trio.lowlevel.checkpoint()

    def _forget(self, session: Session) -> None:
        del self._open[session.sid]

    async def _look_round(self) -> None:
        while True:
            sessions = tuple(self._open.values())
            starts = range(0, len(sessions), SLICE) or range(1)
            for start in starts:
                await trio.sleep(LOOK_EVERY_S / len(starts))
                for session in sessions[start : start + SLICE]:
                    session.look(trio.current_time())

    async def _end_all_when(self, closing: trio.Event) -> None:
        await closing.wait()
        self._nursery = None
        for count, session in enumerate(tuple(self._open.values()), 1):
            session.end(self._end)
            if count % ENDED == 0:
                await trio.lowlevel.checkpoint()
