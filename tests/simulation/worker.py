"""One of several workers: a whole core that lives, is killed or stopped, and lives again."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

import trio

from actors.connection.connection import ConnectionWorld
from actors.connection.events import ErrorEvent, SignedIn
from actors.connection.scoring import ScoringWorld
from actors.leaderboard.messages import Loaded
from actors.ports import ALL_TIME, SessionId, UserId
from actors.runtime import ActorError, GaveUp, Observer
from actors.user.world import UserRules
from scoreboard.server.core import Core, ListeningTimes, running_core
from scoreboard.server.outside import CoreHooks
from tests.fakes.system import SetClock
from tests.simulation.line import Life, Weather
from tests.simulation.world import World

T = TypeVar("T")


class Gone(Exception):
    """The worker went away, or is away, and with it the connection to it. Whether anything was done is not known."""


@dataclass(frozen=True, slots=True)
class Serving:
    """What clients see of one life of a worker."""

    life: Life
    core: Core
    connections: ConnectionWorld
    ended: set[SessionId | UserId]  # of which it has heard: sessions that have ended, and players who were erased

    async def ask(self, question: Callable[[Core], Awaitable[T]]) -> T:
        """Raises Gone when this life is over before there is an answer."""
        if self.life.over:
            raise Gone
        with trio.CancelScope() as scope:
            self.life.clients[scope] = None
            try:
                return await question(self.core)
            finally:
                del self.life.clients[scope]
        raise Gone


class Worker:
    """Lives until the world ends. `serving` is None while it does not."""

    def __init__(self, name: str, world: World, rules: UserRules, listening: ListeningTimes) -> None:
        self.name = name
        self.clock = SetClock(begin_s=world.begin_s)
        self.serving: Serving | None = None
        self.ended: set[SessionId | UserId] = set()
        self.rests_s = 1.0
        self._world, self._rules, self._listening = world, rules, listening
        self._life: Life | None = None
        self._stop = trio.Event()
        self._lives = 0

    def __repr__(self) -> str:
        return f"<Worker {self.name}, life {self._lives}>"

    # --- what is done to it ---

    def kill(self) -> None:
        """At once, in the middle of whatever it does."""
        if self._life is not None and not self._life.over:
            self._world.trace.note(f"{self._life.name} is killed")
            self.serving = None
            self._life.end()

    def pause(self) -> None:
        """It stands still, or goes on after that."""
        life = self._life
        if life is None or life.over:
            return
        self._world.trace.note(f"{life.name} is {'paused' if life.resumed is None else 'resumed'}")
        if life.resumed is None:
            life.pause()
        else:
            life.resume()

    def resume(self) -> None:
        """It stands still no more."""
        if self._life is not None:
            self._life.resume()

    def stop(self) -> None:
        """In good order."""
        self._stop.set()

    @property
    def weather(self) -> dict[str, Weather]:
        """On its ways to the servers, in this life."""
        return {} if self._life is None else self._life.weather

    @property
    def cut(self) -> set[str]:
        """Servers that it cannot reach, in this life."""
        return set() if self._life is None else self._life.cut

    # --- its lives ---

    async def run(self) -> None:
        """One life after another."""
        while True:
            self._lives += 1
            self._life, self._stop, self.ended = Life(f"{self.name}.{self._lives}"), trio.Event(), set()
            try:
                with self._life.scope:
                    await self._live(self._life)
            except BaseExceptionGroup as group:
                if group.split(GaveUp)[1] is not None:
                    raise
                self._world.trace.note(f"{self._life.name} gave up")
            self.serving = None
            self._life.end()
            await trio.sleep(self.rests_s)

    async def _live(self, life: Life) -> None:
        world = self._world
        ports = world.ports(life, self.clock)
        async with running_core(
            ports, self._hooks(life), self._rules, tick_s=1.0, zones=world.zones, listening=self._listening
        ) as core:
            self.serving = Serving(life, core, self._connections(core), self.ended)
            with suppress(ActorError):
                await core.boards.ask(ALL_TIME, Loaded(), within=120.0)
            await self._stop.wait()
            world.trace.note(f"{life.name} is stopped")
            self.serving = None

    def _hooks(self, life: Life) -> CoreHooks:
        def ended(about: SessionId | UserId) -> None:
            if not life.over:
                self.ended.add(about)

        def ignore(*_: object) -> None:
            return

        return CoreHooks(Told(life, self._world), ignore, ignore, ignore, session_ended=ended, user_erased=ended)

    def _connections(self, core: Core) -> ConnectionWorld:
        async def who(token: str) -> SignedIn | ErrorEvent:
            return SignedIn(UserId(token), token)

        def ignore(*_: object) -> None:
            return

        return ConnectionWorld(core.audiences, who, ignore, ignore, ScoringWorld(core.users, ignore, ignore))


class Told(Observer):
    """Notes which actors crash."""

    def __init__(self, life: Life, world: World) -> None:
        self._life, self._world = life, world

    def crashed(self, name: str, error: BaseException, delay_s: float | None) -> None:
        """See `Observer.crashed`."""
        if not self._life.over:
            self._world.trace.note(f"{self._life.name} {name} crashed: {error!r}")


@dataclass
class Crew:
    """All workers."""

    rng: random.Random
    workers: list[Worker]

    @property
    def serving(self) -> list[Serving]:
        """Those that can be asked now."""
        return [worker.serving for worker in self.workers if worker.serving is not None]

    async def ask(self, question: Callable[[Core], Awaitable[T]]) -> T:
        """Ask any of them."""
        return await self.any().ask(question)

    def any(self) -> Serving:
        """One of those that can be asked. Raises Gone if there is none."""
        there = self.serving
        if not there:
            raise Gone
        return self.rng.choice(there)
