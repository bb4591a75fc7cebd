"""Who must show to be a person before being given another action token: all who are restricted.

Who is so is read now and then, so that whoever decides for a player need not wait to know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import trio

from actors.ports import FraudStore, StoreError, UserId, WallClock
from actors.runtime import Actor


class Challenges:
    """As they were read last. Begins to know nobody."""

    def __init__(self, clock: WallClock) -> None:
        self._clock = clock
        self._until_us: Mapping[UserId, int] = {}

    def __repr__(self) -> str:
        return f"<Challenges of {len(self._until_us)} players>"

    def hold(self, until_us: Mapping[UserId, int]) -> None:
        """These are all who are restricted, each with until when."""
        self._until_us = until_us

    def ask(self, user_id: UserId) -> bool:
        """Whether this player must bring an answer now."""
        until_us = self._until_us.get(user_id)
        return until_us is not None and self._clock.now_us() < until_us


@dataclass(frozen=True, slots=True)
class ChallengesWorld:
    """What it needs from outside. It looks every `look_s`; `missed` hears why a look did not succeed."""

    store: FraudStore
    clock: WallClock
    challenges: Challenges
    missed: Callable[[Exception], None] = lambda _: None
    look_s: float = 2.0
    store_within_s: float = 5.0


class ChallengesActor(Actor):
    """Keeps challenges as they are in the store. While that is away, they stay as they were."""

    def __init__(self, world: ChallengesWorld) -> None:
        self._world = world

    def __repr__(self) -> str:
        return f"<ChallengesActor, {self._world.challenges!r}>"

    async def started(self) -> None:
        """Look at once."""
        await self.woken()

    async def receive(self, message: object) -> None:
        """Nobody has anything to say to it."""
        raise TypeError(f"who keeps challenges does not understand {message!r}")

    async def woken(self) -> None:
        """Look, and again in a while."""
        world = self._world
        try:
            with trio.fail_after(world.store_within_s):
                world.challenges.hold(await world.store.restricted(world.clock.now_us()))
        except (StoreError, trio.TooSlowError) as error:
            world.missed(error)
        self.wake_at = trio.current_time() + world.look_s
