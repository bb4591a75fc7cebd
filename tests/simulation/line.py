"""The ways of one worker to the stores, and how they fail: before, after, late, slowly, or without a word."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import trio

from actors.ports import CommitUnknown, StoreError, StoreFault, StoreUnavailable
from tests.fakes import Faults

Result = TypeVar("Result")

#: A call that the store does not answer is given up by the driver after so long.
DRIVER_S = 6.0
#: What was sent before the caller went away has ended one way or the other after so long.
LATE_S = 5.0


@dataclass(slots=True)
class Weather:
    """How likely it is that a call is refused, lost on its way there or back, done late, or slow; and what breaks.

    So many commits are rejected: nothing of them is done, and they are not to be tried again as they are.
    """

    refused: float = 0.0
    lost: float = 0.0
    done_and_lost: float = 0.0
    late: float = 0.0
    breaks: str = ""  # the name of the line that breaks whoever uses it next
    slow_s: float = 0.0
    rejects: int = 0


@dataclass(slots=True)
class Server:
    """Postgres, or Redis. `away` refuses everybody at once; frozen it answers nobody; `tasks` outlive who called."""

    name: str
    tasks: trio.Nursery
    away: bool = False
    thawed: trio.Event | None = None  # while it is frozen
    done: Callable[[], None] = lambda: None  # hears of everything that was done here
    note: Callable[[str], None] = lambda _: None

    def freeze(self) -> None:
        """Answer nobody; what was asked meanwhile may be done afterwards."""
        if self.thawed is None:
            self.thawed = trio.Event()

    def recover(self) -> None:
        """Be there again for everybody."""
        self.away = False
        if self.thawed is not None:
            self.thawed.set()
        self.thawed = None


@dataclass(slots=True)
class Life:
    """One life of a worker. When it is `over` nothing that it still does has an effect, and nobody hears it.

    While it is paused it asks nobody anything and hears no answer, also of what has been done meanwhile.
    """

    name: str
    over: bool = False
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    clients: dict[trio.CancelScope, None] = field(default_factory=dict)  # a set that keeps its order
    cut: set[str] = field(default_factory=set)  # servers that it cannot reach
    weather: dict[str, Weather] = field(default_factory=dict)
    resumed: trio.Event | None = None  # while it is paused

    def pause(self) -> None:
        """As by a signal that stops it, for long perhaps."""
        if self.resumed is None:
            self.resumed = trio.Event()

    def resume(self) -> None:
        """Go on where it stood."""
        if self.resumed is not None:
            self.resumed.set()
        self.resumed = None

    def end(self) -> None:
        """As by a signal that cannot be caught."""
        self.over = True
        for client in tuple(self.clients):
            client.cancel()
        self.scope.cancel()


class Line(Faults):
    """The switches of one fake, as one life of a worker reaches it. All effects happen in one piece, or not at all."""

    def __init__(self, server: Server, life: Life, rng: random.Random, name: str) -> None:
        super().__init__()
        self._server, self._life, self._rng, self._name = server, life, rng, name
        self._loss: type[StoreError] = CommitUnknown if name == "scores" else StoreUnavailable
        life.weather.setdefault(server.name, Weather())

    def __repr__(self) -> str:
        return f"<Line from {self._life.name} to {self._name}>"

    async def around(self, act: Callable[[], Result]) -> Result:
        """Do `act` in one piece, if it comes so far."""
        await self._while_alive()
        await self._reach(act)
        weather, rng = self._life.weather[self._server.name], self._rng
        if rng.random() < weather.refused:
            raise self._told(StoreUnavailable("refused"))
        try:
            await self._travel(weather)
        except trio.Cancelled:
            self._perhaps_later(act)
            raise
        await self._while_alive()
        if rng.random() < weather.lost:
            raise self._told(self._loss("lost on the way there"))
        if rng.random() < weather.late:
            self._later(act)
            raise self._told(self._loss("lost, and done later"))
        if weather.rejects and self._name == "scores":
            weather.rejects -= 1
            raise self._told(StoreFault("rejected"))
        result = self._do(act)
        if rng.random() < weather.done_and_lost:
            raise self._told(self._loss("lost on the way back"))
        if (broken := self._broken()) is not None:
            raise broken
        await self._travel(weather)
        await self._while_alive()
        return result

    async def _while_alive(self) -> None:
        await trio.lowlevel.checkpoint()
        while self._life.resumed is not None:
            await self._life.resumed.wait()
        if self._life.over:
            raise StoreUnavailable("nobody is there to ask")

    async def _reach(self, act: Callable[[], object]) -> None:
        server, life = self._server, self._life
        if server.thawed is not None:
            with trio.move_on_after(DRIVER_S) as patience:
                try:
                    await server.thawed.wait()
                except trio.Cancelled:
                    self._perhaps_later(act)
                    raise
            if patience.cancelled_caught:
                raise self._told(self._loss("no answer"))
        if server.away or server.name in life.cut:
            raise self._told(StoreUnavailable("away"))

    async def _travel(self, weather: Weather) -> None:
        if weather.slow_s:
            await trio.sleep(self._rng.choice([0.0, 0.1, 1.0]) * weather.slow_s)
        else:
            await trio.lowlevel.checkpoint()

    def _do(self, act: Callable[[], Result]) -> Result:
        result = act()
        self._server.done()
        return result

    def _perhaps_later(self, act: Callable[[], object]) -> None:
        """Whoever asked has gone; the request may be on its way all the same."""
        if self._rng.random() < 0.5:
            self._later(act)

    def _later(self, act: Callable[[], object]) -> None:
        async def arrive() -> None:
            await trio.sleep(self._rng.uniform(0, LATE_S))
            if self._server.thawed is not None:
                await self._server.thawed.wait()
            self._note("is done late")
            try:
                self._do(act)
            except StoreError:
                return

        self._server.tasks.start_soon(arrive)

    def _told(self, error: StoreError) -> Exception:
        """Who hears it may break at that, while what was asked is still on its way."""
        self._note(str(error))
        return self._broken() or error

    def _broken(self) -> Exception | None:
        weather = self._life.weather[self._server.name]
        if weather.breaks != self._name:
            return None
        weather.breaks = ""
        return ZeroDivisionError(self._name)

    def _note(self, what: str) -> None:
        self._server.note(f"{self._life.name} {self._name}: {what}")
