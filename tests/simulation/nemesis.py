"""Who does harm: to workers, servers, ways, clocks, actors and screens; a seed has some kinds of it and not others."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import trio

from actors.ports import BoardId
from actors.runtime import ActorError
from scoreboard.server.core import Core
from tests.simulation.line import Server, Weather
from tests.simulation.replica import Replica
from tests.simulation.spectators import Spectator
from tests.simulation.worker import Crew, Worker
from tests.simulation.world import World

#: By how many seconds a clock may be set.
STEPS_S = (-90_000.0, -5_000.0, -900.0, -30.0, -1.0, 1.0, 30.0, 900.0, 5_000.0, 90_000.0)
#: Answers of stores at which somebody may break.
LINES = [("postgres", name) for name in ("scores", "scores", "scores", "reads", "batches")] + [("redis", "eventlog")]
#: A step of the run at which somebody is killed, or a replica promoted, lies so far behind the present one.
WITHIN_STEPS = 600
#: So many players are erased at most, or nobody would be left to play.
MOST_ERASED = 2


@dataclass
class Nemesis:
    """Does each of its `kinds` of harm now and then, until `heal`."""

    world: World
    crew: Crew
    spectators: list[Spectator]
    boards: list[BoardId]
    kinds: tuple[str, ...]
    replica: Replica | None = None  # which receives nothing for a while
    breaks: int = 6  # so often at most something breaks an actor, or a worker would rightly give up

    @property
    def rng(self) -> random.Random:
        """The seed's."""
        return self.world.rng

    async def harm(self, seconds: float) -> None:
        """For so long; then everything is in order again, apart from what it has left behind."""
        end = trio.current_time() + seconds
        while self.kinds and trio.current_time() < end:
            await trio.sleep(self.rng.expovariate(1.5))
            kind = self.rng.choice(self.kinds)
            self.world.trace.note(f"nemesis: {kind}")
            HARM[kind](self)
        self.heal()

    def heal(self) -> None:
        """No more faults; clocks are right; readers read."""
        world = self.world
        world.trace.note("nemesis: has gone")
        world.trace.forget_calls()
        world.mangled = False
        world.postgres.recover()
        world.redis.recover()
        for worker in self.crew.workers:
            worker.clock.ahead_s = 0
            worker.cut.clear()
            worker.resume()
            for name in worker.weather:
                worker.weather[name] = Weather()
        for spectator in self.spectators:
            spectator.wire.tears = False
            spectator.wire.read()

    # --- kinds of harm ---

    def kill(self) -> None:
        """One worker, as by a signal that cannot be caught."""
        worker = self.rng.choice(self.crew.workers)
        worker.rests_s = self.rng.choice([0.1, 1.0, 5.0])
        self._soon(worker.kill)

    def pause(self) -> None:
        """A worker stands still in the middle of whatever it does, or goes on."""
        self._soon(self.rng.choice(self.crew.workers).pause)

    def hands(self) -> None:
        """Somebody bans a player in the database, past all workers, or lifts it."""
        user_id = self.rng.choice(list(self.world.players.rows))
        if user_id not in self.world.accounts.erased:
            self.world.ban(user_id, banned=self.rng.random() < 0.6)

    def erase(self) -> None:
        """Somebody is erased, for ever, by the command line and not by a worker."""
        world = self.world
        user_id = self.rng.choice(list(world.players.rows))
        if len(world.accounts.erased) < MOST_ERASED and user_id not in world.accounts.erased:
            world.erase(user_id)

    def stop(self) -> None:
        """A worker ends in good order, and is started again."""
        self.rng.choice(self.crew.workers).stop()

    def postgres(self) -> None:
        """Away for all, or answers nobody, or is there again."""
        self._harm_server(self.world.postgres)

    def failover(self) -> None:
        """A replica falls behind; or one that has is promoted at some step that is to come."""
        if self.replica is None:
            self.replica = self.world.replica()
        else:
            self._soon(self._promote)

    def _promote(self) -> None:
        if self.replica is None:
            return
        lost, self.replica = self.replica.promote(), None
        self.world.laws.forget(lost)
        self.world.trace.note(f"a replica was promoted, and {len(lost)} scores are lost")

    def _soon(self, harm: Callable[[], None]) -> None:
        """At some step of some task that is to come: between any two awaits."""
        self.world.trace.at_step(self.world.trace.steps + self.rng.randint(1, WITHIN_STEPS), harm)

    def redis(self) -> None:
        """The same; besides it may be emptied, or another one."""
        if self.rng.random() < 0.3:
            self.world.events.bus.clear(last=self.rng.choice([None, 1]))
            self.world.limits.empty()
        self._harm_server(self.world.redis)

    def _harm_server(self, server: Server) -> None:
        match self.rng.randrange(4):
            case 0:
                server.away = True
            case 1:
                server.freeze()
            case _:
                server.recover()

    def cut(self) -> None:
        """One worker cannot reach a server."""
        worker = self.rng.choice(self.crew.workers)
        if worker.cut:
            worker.cut.clear()
        else:
            worker.cut.add(self.rng.choice(["postgres", "redis", "redis"]))

    def lossy(self) -> None:
        """On one worker's way to a server things are lost, there or back, or come late."""
        weather, rng = self._weather(), self.rng
        if weather is not None:
            weather.refused, weather.lost, weather.done_and_lost, weather.late = (
                rng.choice([0.0, 0.0, 0.1, 0.5]) for _ in range(4)
            )

    def doubt(self) -> None:
        """For all workers, on their way to Postgres: what is committed is heard of seldom, and asked again in vain."""
        for worker in self.crew.workers:
            weather = worker.weather.get("postgres")
            if weather is not None:
                weather.refused, weather.lost, weather.done_and_lost, weather.late = (
                    self.rng.choice([0.0, 0.2, 0.6]) for _ in range(4)
                )

    def reject(self) -> None:
        """Postgres takes one worker's next commit for a mistake, and some of the pieces into which it is cut then."""
        weather = self.rng.choice(self.crew.workers).weather.get("postgres")
        if weather is not None:
            weather.rejects = self.rng.randint(1, 4)

    def slow(self) -> None:
        """One worker's way to a server is slow."""
        weather = self._weather()
        if weather is not None:
            weather.slow_s = self.rng.choice([0.0, 0.0, 0.01, 0.3, 3.0, 12.0])

    def _weather(self) -> Weather | None:
        worker = self.rng.choice(self.crew.workers)
        return worker.weather.get(self.rng.choice(["postgres", "redis"]))

    def breakage(self) -> None:
        """An actor fails at what it is told, or at what a store answers."""
        worker = self.rng.choice(self.crew.workers)
        if self.breaks <= 0 or worker.serving is None:
            return
        self.breaks -= 1
        with suppress(ActorError):  # it has no room
            self._break(worker, worker.serving.core)

    def _break(self, worker: Worker, core: Core) -> None:
        match self.rng.randrange(6):
            case 0:
                core.boards.tell(self.rng.choice(self.boards), "nonsense")
            case 1 if self.spectators:
                core.audiences.tell(self.rng.choice(self.spectators).any_view().channel.key, "nonsense")
            case 2:
                core.ledger.tell("nonsense")
            case _:
                self._break_once(worker)

    def _break_once(self, worker: Worker) -> None:
        server, line = self.rng.choice(LINES)
        weather = worker.weather.get(server)
        if weather is not None:
            weather.breaks = line

    def clock(self) -> None:
        """Of one worker."""
        ahead_s = self.rng.choice((0.0, *STEPS_S))
        worker = self.rng.choice(self.crew.workers)
        worker.clock.ahead_s = ahead_s
        self.world.trace.note(f"{worker.name} is {worker.clock.ahead_s:g} s ahead")

    def mangle(self) -> None:
        """The log of events does what it likes, or behaves."""
        self.world.mangled = self.rng.random() < 0.7

    def screens(self) -> None:
        """Somebody reads slowly, or not at all, or has gone."""
        if not self.spectators:
            return
        spectator, rng = self.rng.choice(self.spectators), self.rng
        match rng.randrange(6):
            case 0:
                spectator.wire.tears = True
            case 1:
                spectator.wire.stop_reading()
            case 2:
                spectator.wire.read(rng.randint(1, 3))
            case 3:
                spectator.wishes = rng.random() < 0.5
                spectator.hang_up()
            case 4:
                spectator.change_its_mind()
            case _:
                spectator.wire.read()


HARM: dict[str, Callable[[Nemesis], None]] = {
    "kill": Nemesis.kill,
    "stop": Nemesis.stop,
    "postgres": Nemesis.postgres,
    "redis": Nemesis.redis,
    "cut": Nemesis.cut,
    "lossy": Nemesis.lossy,
    "slow": Nemesis.slow,
    "breakage": Nemesis.breakage,
    "clock": Nemesis.clock,
    "mangle": Nemesis.mangle,
    "screens": Nemesis.screens,
    "failover": Nemesis.failover,
    "pause": Nemesis.pause,
    "hands": Nemesis.hands,
    "erase": Nemesis.erase,
    "doubt": Nemesis.doubt,
    "reject": Nemesis.reject,
}
