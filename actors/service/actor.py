"""One service: takes its batches in order, judges each in one piece, and hands it on to the ledger in one message."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import trio

from actors.ledger.messages import CommitMany
from actors.ports import ActionCatalogue, Quota, RowLimits, StoreUnavailable, WallClock
from actors.runtime import ActorError, BatchActor, Ref, Refusal, Request
from actors.service.messages import ServiceBusy, Submit, TooManyRows
from actors.service.rows import conclude, judge

BUSY = "This service has too many batches under way. Nothing was done; send this one again in a moment."
NO_CATALOGUE = "The catalogue of actions cannot be read just now. Nothing was done; send the same batch again."


@dataclass(frozen=True, slots=True)
class ServiceRules:
    """Of each service: rows a minute (None: any number), batches at the ledger, age of the catalogue in seconds.

    `rows_of` tells the rows a minute of a service that has a limit of its own. It is asked with each batch.
    """

    rows_per_minute: int | None = None
    rows_of: Callable[[str], int | None] = lambda _: None
    batches_under_way: int = 16
    refresh_s: float = 60.0


@dataclass(frozen=True, slots=True)
class ServiceWorld:
    """What a service actor needs from outside. `limits` count for all workers, and outlive it."""

    clock: WallClock
    catalogue: ActionCatalogue
    rules: ServiceRules
    ledger: Ref
    limits: RowLimits


class ServiceActor(BatchActor):
    """Judges the batches of one service and does not wait for them: the ledger answers in its place.

    So several batches of a service may be under way, and share transactions with those of others.
    """

    max_batch = 1  # each is milliseconds of work, and whose sender goes meanwhile need not be looked at

    def __init__(self, service: str, world: ServiceWorld) -> None:
        self._service = service
        self._world = world
        self._points: dict[str, int] | None = None
        self._under_way: list[Request] = []

    def __repr__(self) -> str:
        return f"<ServiceActor {self._service}, {len(self._under_way)} under way>"

    async def started(self) -> None:
        """Read what actions are worth. A store that is away is asked again when there is something to judge."""
        await self._read_catalogue()

    async def woken(self) -> None:
        """Read it again, now and then; what is known stays good while the store is away."""
        await self._read_catalogue()

    async def receive_batch(self, requests: Sequence[Request]) -> None:
        """Judge and hand on, one after the other; others run in between."""
        if self._points is None:
            await self._read_catalogue()
        for request in requests:
            try:
                self._serve(request)
            except Refusal as refusal:
                request.fail(refusal)
            except ActorError as error:  # the ledger does not take it
                busy = ServiceBusy(BUSY)
                busy.__cause__ = error
                request.fail(busy)
            await trio.lowlevel.checkpoint()

    def _serve(self, request: Request) -> None:
        message = request.message
        if not isinstance(message, Submit):
            raise TypeError(f"a service actor does not understand {message!r}")
        if self._points is None:
            raise ServiceBusy(NO_CATALOGUE)
        self._under_way = [each for each in self._under_way if each.open]
        if len(self._under_way) >= self._world.rules.batches_under_way:
            raise ServiceBusy(BUSY)
        self._count(len(message.rows))
        now_us = self._world.clock.now_us()
        judged = judge(self._service, message.rows, self._points, message.source, now_us=now_us)
        then = partial(conclude, message.rows, judged.verdicts)
        if not judged.writes:
            request.answer(then((), {}))
            return
        self._world.ledger.forward(request, CommitMany(judged.writes, then))
        self._under_way.append(request)

    def _count(self, rows: int) -> None:
        most = self._most()
        if most is None:
            return
        taken = self._world.limits.take_many(f"rows:{self._service}", Quota(most), rows)
        if not taken.allowed:
            raise TooManyRows(
                f"This service may send {most} rows a minute; none of these {rows} was looked at.",
                retry_after_s=taken.reset_s,
            )

    def _most(self) -> int | None:
        own = self._world.rules.rows_of(self._service)
        return self._world.rules.rows_per_minute if own is None else own

    async def _read_catalogue(self) -> None:
        self.wake_at = trio.current_time() + self._world.rules.refresh_s
        try:
            self._points = await self._world.catalogue.actions()
        except StoreUnavailable:
            return
