"""Keeps what one worker knows of how players stand: all who are restricted, and whoever plays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import trio

from actors.limits.messages import LookUp
from actors.limits.standings import Standings
from actors.ports import FraudStore, StandingStore, StoreError, UserId, WallClock
from actors.runtime import BatchActor, Request


@dataclass(frozen=True, slots=True)
class StandingsWorld:
    """What it needs from outside. `missed` hears why a store could not be asked."""

    standings: Standings
    standing: StandingStore
    fraud: FraudStore
    clock: WallClock
    look_every_s: float = 10.0
    within_s: float = 1.0
    missed: Callable[[Exception], None] = lambda _: None


class StandingsActor(BatchActor):
    """Asks the stores, never on anybody's way. While they do not answer, all stand as they were known to."""

    max_batch = 500

    def __init__(self, world: StandingsWorld) -> None:
        self._world = world

    def __repr__(self) -> str:
        return f"<StandingsActor with {self._world.standings!r}>"

    async def started(self) -> None:
        """Know who is restricted."""
        await self._look()

    async def woken(self) -> None:
        """Know it anew."""
        await self._look()

    async def receive_batch(self, requests: Sequence[Request]) -> None:
        """Look up all of them in one go. Who cannot be looked up is asked for again a little later."""
        asked = dict.fromkeys(self._user(request.message) for request in requests)
        try:
            with trio.fail_after(self._world.within_s):
                found = await self._world.standing.standings(list(asked))
        except (StoreError, trio.TooSlowError) as error:
            self._world.missed(error)
            return
        self._world.standings.found(asked, found, trio.current_time())

    def _user(self, message: object) -> UserId:
        if not isinstance(message, LookUp):
            raise TypeError(f"standings do not understand {message!r}")
        return message.user_id

    async def _look(self) -> None:
        world, began = self._world, trio.current_time()
        self.wake_at = began + world.look_every_s
        try:
            with trio.fail_after(world.within_s):
                restricted = await world.fraud.restricted(world.clock.now_us())
        except (StoreError, trio.TooSlowError) as error:
            world.missed(error)
            return
        world.standings.restrict_all(restricted, began)
