"""Gathers what the audit is told, and writes it in batches. What was refused is written once a minute, counted."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

import trio

from actors.audit.messages import Denied, Happened
from actors.audit.tally import Tally
from actors.ports import AuditEvent, AuditLog, Ids, StoreError
from actors.runtime import BatchActor, Request

#: So many events are written in one transaction.
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class AuditWorld:
    """What the audit needs from outside. `lost` hears how many events did not get through.

    What was refused is counted in `most_kinds` kinds at most, and written every `tally_s` seconds; all else is written
    after `breath_s`. At most `most_waiting` events wait for a log that is away, which is asked again after `retry_s`.
    """

    log: AuditLog
    ids: Ids
    lost: Callable[[int], None]
    most_kinds: int = 5_000
    most_waiting: int = 20_000
    tally_s: float = 60.0
    breath_s: float = 0.5
    retry_s: float = 5.0
    write_within_s: float = 10.0


class AuditActor(BatchActor):
    """Told, never asked. Events that do not get through are dropped, the oldest first, and counted."""

    max_batch = 1000

    def __init__(self, world: AuditWorld) -> None:
        self._world = world
        self._tally = Tally(world.most_kinds)
        self._waiting: dict[str, AuditEvent] = {}  # by id, the oldest first
        self._next_tally = self._next_write = math.inf

    def __repr__(self) -> str:
        return f"<AuditActor, {len(self._waiting)} waiting, {self._tally!r}>"

    async def receive_batch(self, requests: Sequence[Request]) -> None:
        """Count or keep; whoever tells does not wait."""
        now = trio.current_time()
        for request in requests:
            match request.message:
                case Denied() as denied:
                    self._tally.add(denied)
                    self._next_tally = min(self._next_tally, now + self._world.tally_s)
                case Happened(event):
                    self._keep([event])
                    self._next_write = min(self._next_write, now + self._world.breath_s)
                case _:
                    raise TypeError(f"the audit does not understand {request.message!r}")
        self._set_alarm()

    async def woken(self) -> None:
        """Write what is due."""
        if self._next_tally <= trio.current_time():
            self._close_tally()
        if self._next_write <= trio.current_time():
            await self._write()
        self._set_alarm()

    async def stopped(self) -> None:
        """Nothing stays behind, if the log takes it."""
        self._close_tally()
        await self._write()
        if self._waiting:
            self._world.lost(len(self._waiting))

    def _set_alarm(self) -> None:
        self.wake_at = min(self._next_tally, self._next_write)

    def _close_tally(self) -> None:
        self._keep(self._tally.take(self._world.ids))
        self._next_tally, self._next_write = math.inf, -math.inf

    def _keep(self, events: Sequence[AuditEvent]) -> None:
        for event in events:
            self._waiting[event.event_id] = event
        over = len(self._waiting) - self._world.most_waiting
        if over > 0:
            for event_id in list(islice(self._waiting, over)):
                del self._waiting[event_id]
            self._world.lost(over)

    async def _write(self) -> None:
        """Batch after batch. The ids see to it that what may have been written is not written twice."""
        self._next_write = math.inf
        while self._waiting:
            batch = list(islice(self._waiting.values(), AT_ONCE))
            if not await self._written(batch):
                self._next_write = trio.current_time() + self._world.retry_s
                return
            for event in batch:
                self._waiting.pop(event.event_id, None)

    async def _written(self, batch: list[AuditEvent]) -> bool:
        with trio.move_on_after(self._world.write_within_s):
            try:
                await self._world.log.record(batch)
            except StoreError:
                return False
            return True
        return False
