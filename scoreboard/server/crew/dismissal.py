"""How one worker's process is let go while the others serve: asked, then told, then killed."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable
from functools import partial

import trio

from scoreboard.observe.logs import Logger
from scoreboard.server.crew.life import Life
from scoreboard.server.crew.slot import Slot

#: Asks a worker to see its clients off, and says whether it will.
AskToLeave = Callable[[Life], Awaitable[bool]]


class Dismissal:
    """Lets processes go; none is waited for any more when the whole crew ends, because that is done for all then.

    Args:
        all_end: Set when the whole crew ends.
        stop_within_s: For one to end when it is told to.
        log: Says who had to be killed.
    """

    def __init__(self, all_end: trio.Event, stop_within_s: float, log: Logger) -> None:
        self._all_end = all_end
        self._stop_within_s = stop_within_s
        self._log = log

    def __repr__(self) -> str:
        return f"<Dismissal within {self._stop_within_s:g} s>"

    async def see_out(self, slot: Slot, life: Life, ask_to_leave: AskToLeave, within_s: float) -> None:
        """Ask it to see its clients off, for which it has so many seconds; then it has to end."""
        if life.is_ready and not life.is_over and await ask_to_leave(life):
            if slot.life is life:
                slot.become("draining")
            with trio.move_on_after(within_s):
                await self._until_over(slot, life)
        await self.end(slot, life)

    async def end(self, slot: Slot, life: Life) -> None:
        """If it is still there it is told to stop, and then killed."""
        for tell in (life.worker.tell_to_stop, partial(self.kill, life)):
            if not (life.is_over or self._all_end.is_set()):
                tell()
                with trio.move_on_after(self._stop_within_s):
                    await self._until_over(slot, life)

    def kill(self, life: Life) -> None:
        """At once."""
        self._log.warning("worker_did_not_stop", worker=life.number, pid=life.worker.pid)
        life.worker.tell(signal.SIGKILL)

    async def _until_over(self, slot: Slot, life: Life) -> None:
        while not (life.is_over or self._all_end.is_set()):
            await slot.changed.wait()
