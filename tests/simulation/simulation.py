"""One simulated run: what the seed draws, the run itself, and what is looked at in its end."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta, timezone
from itertools import pairwise

import trio

from actors.leaderboard.events import Channel, Row
from actors.leaderboard.keeper import SETTLED_US
from actors.leaderboard.messages import Page
from actors.ports import ALL_TIME, BoardId, NewSession, Period, SessionId, Span, UserId
from actors.runtime import ActorError
from actors.user.world import UserRules
from scoreboard.server.core import ListeningTimes
from tests.simulation.laws import Broken
from tests.simulation.nemesis import HARM, Nemesis
from tests.simulation.players import HERE, People, token_age_s
from tests.simulation.scheduler import Trace, run
from tests.simulation.spectators import Spectator, View
from tests.simulation.tight import drawn as drawn_bounds
from tests.simulation.tight import tightened
from tests.simulation.worker import Crew, Gone, Serving, Worker
from tests.simulation.world import World

#: In a run without any harm but a mangled log all is level after so long.
QUIET_S = 1.0
#: When it is looked whether all is level, in seconds after the last harm; at the last of them it must be.
LOOKS_S = (5.0, 10.0, 20.0, 40.0, 75.0)
#: The keeper of archives looks again after so long.
ROUND_S = 130.0
#: Kinds of harm that came later are drawn apart, so that seeds stay what they were; so likely is each.
LATER, OF_LATER = ("failover", "pause", "hands", "erase", "doubt", "reject"), 0.25
#: What is done besides in some runs, drawn apart as well: where all periods end at once, where players try what they
#: may not, where there is more to do, where everything is asked of all workers at once, where few ask again, where who
#: watches goes in the end and comes back, where workers look more seldom for what others do, which takes less time,
#: where tokens live no longer than a retry may take, where servers of the game tell of scores in the same moment, and
#: where many watch several channels each.
HABITS = {"months": 0.2, "cheats": 0.3, "busy": 0.4, "duels": 0.25, "careless": 0.25, "returns": 0.3, "seldom": 0.75}
HABITS |= {"brief": 0.15, "flood": 0.2, "crowds": 0.3}
#: So many times as much is done then.
BUSY = 3
#: On a Sunday afternoon that is no end of a month, and on one that is.
BEGIN_S, MONTH_BEGIN_S = 1_750_000_000, 1_756_652_800
#: In most runs only days end. Where months do, so do weeks.
BOARDS = [ALL_TIME, *map(BoardId, ("daily", "weekly", "daily:US", "all_time:US", "all_time:DE"))]
MONTHLY_BOARDS = [ALL_TIME, *map(BoardId, ("daily", "weekly", "monthly", "monthly:US", "all_time:DE"))]
SELDOM = ListeningTimes(listen_every_s=2.0, follow_every_s=1.0)


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens in a run, drawn from its seed. Runs are small and unlike each other, which finds more."""

    workers: int
    players: int
    rounds: int
    seconds: float
    midnight_s: float
    screens: int
    archived: bool
    kinds: tuple[str, ...]
    tight: tuple[str, ...]
    habits: tuple[str, ...]

    @classmethod
    def drawn(
        cls,
        seed: int,
        rng: random.Random,
        only: tuple[str, ...] | None,
        bounds: tuple[str, ...] | None,
        habits: tuple[str, ...] | None,
    ) -> Plan:
        """Some kinds of harm, seldom all; or `only` these. Likewise the bounds that are tight, and habits."""
        if habits is None:
            habits = tuple(name for name, share in HABITS.items() if random.Random(f"{seed} {name}").random() < share)
        kinds = [kind for kind in HARM if kind not in LATER and rng.random() < rng.choice([0.15, 0.4])]
        kinds += [kind for kind in LATER if random.Random(f"{seed} {kind}").random() < OF_LATER]
        if "crowds" in habits and "screens" not in kinds:
            kinds.append("screens")  # or they see the same all the while
        kinds = kinds if only is None else list(only)
        return cls(
            workers=rng.choice([1, 2, 2, 3]),
            players=rng.randint(2, 8),
            rounds=rng.randint(2, 8) * (BUSY if "busy" in habits else 1),
            seconds=rng.uniform(6, 20),
            midnight_s=rng.uniform(2, 60),
            screens=rng.randint(0, 5),
            archived=rng.random() < 0.012,
            kinds=tuple(kinds),
            tight=drawn_bounds(rng) if bounds is None else bounds,
            habits=habits,
        )

    @property
    def seldom(self) -> bool:
        """Whether workers look seldom for what others do; not where all must be level soon."""
        return "seldom" in self.habits and not self.calm

    @property
    def calm(self) -> bool:
        """Whether all must be level as soon as it is quiet."""
        return not self.tight and set(self.kinds) <= {"mangle", "screens"}


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did."""

    seed: int
    plan: Plan
    digest: str
    steps: int
    scores: int
    lost: int
    level_s: float


class Run:
    """The parts of one run."""

    def __init__(
        self,
        seed: int,
        trace: Trace,
        only: tuple[str, ...] | None,
        bounds: tuple[str, ...] | None,
        habits: tuple[str, ...] | None,
    ) -> None:
        self.rng = random.Random(seed)
        self.seed, self.trace, self.plan = seed, trace, Plan.drawn(seed, self.rng, only, bounds, habits)
        self.level_s = 0.0
        self.begin_s, self.boards, ending = BEGIN_S, BOARDS, [Period.DAILY]
        if "months" in self.plan.habits:
            self.begin_s, self.boards = MONTH_BEGIN_S, MONTHLY_BOARDS
            ending = [Period.DAILY, Period.WEEKLY, Period.MONTHLY]
        shift_s = (86_400 - BEGIN_S - self.plan.midnight_s) % 86_400
        self.zones = dict.fromkeys(ending, timezone(timedelta(seconds=shift_s)))

    async def main(self) -> Report:
        """Everything, from the start to the last look."""
        async with trio.open_nursery() as tasks:
            world = self.world = World(self.rng, self.trace, tasks, self.zones, self.begin_s)
            self.trace.bound(lambda: world.laws.require(False, "nothing comes to rest"))
            with world.over:
                async with trio.open_nursery() as nursery:
                    self._begin(nursery)
                    await self._go(nursery)
                    nursery.cancel_scope.cancel()
            tasks.cancel_scope.cancel()
        if world.laws.breach is not None:
            raise Broken(world.laws.breach)
        lost = sum(tried.lost for tried in self.people.tried)
        done = (self.trace.digest, self.trace.steps, len(world.scores.ledger), lost, self.level_s)
        return Report(self.seed, self.plan, *done)

    def _begin(self, nursery: trio.Nursery) -> None:
        plan, world, rng = self.plan, self.world, self.rng
        self.names = [UserId(f"player-{number}") for number in range(plan.players)]
        for name in self.names:
            world.players.add(name)
            session = NewSession(SessionId(f"of {name}"), name, name.encode(), 0, 2**60, HERE)
            world.accounts._open(session)  # which ends with a ban
        world.laws.observe()
        listening = SELDOM if plan.seldom else ListeningTimes()
        rules = UserRules(tokens=None, increments=None, token_age_s=token_age_s(plan.habits))
        workers = [Worker(chr(ord("A") + n), world, rules, listening) for n in range(plan.workers)]
        self.crew = Crew(rng, workers)
        self.people = People(world, self.crew, plan.kinds, plan.habits, plan.calm)
        self.spectators = [self._spectator() for _ in range(plan.screens)]
        if "crowds" in plan.habits:
            self.spectators += self._crowd()
        for worker in workers:
            nursery.start_soon(worker.run)
        for spectator in self.spectators:
            nursery.start_soon(spectator.watch)

    def _spectator(self) -> Spectator:
        rng = self.rng
        if rng.random() < 0.2:
            own = Channel(rng.choice(self.boards), rng.randint(0, 2), around=True)
            return self._watching(rng.choice(self.names), own)
        return self._watching(None, Channel(rng.choice(self.boards), rng.choice([1, 3, 10])))

    def _watching(self, user_id: UserId | None, *channels: Channel) -> Spectator:
        return Spectator([View(each, user_id, self.world) for each in channels], user_id, self.world, self.crew)

    def _crowd(self) -> list[Spectator]:
        """Who watches several channels of two boards, each by one way; many watch the same, and some fall behind."""
        rng = random.Random(f"{self.seed} crowd")
        some, crowd = rng.sample(self.boards, 2), list[Spectator]()
        for _ in range(rng.randint(3, 6)):
            channels = [Channel(board, size) for board in some for size in (1, 3) if rng.random() < 0.6]
            own = [Channel(rng.choice(some), rng.randint(0, 2), around=True)] if rng.random() < 0.5 else []
            crowd.append(self._watching(rng.choice(self.names), *channels, *own))
        return crowd

    async def _go(self, nursery: trio.Nursery) -> None:
        nemesis = Nemesis(self.world, self.crew, self.spectators, self.boards, self.plan.kinds)
        async with trio.open_nursery() as deeds:
            deeds.start_soon(nemesis.harm, self.plan.seconds)
            self._deeds(deeds)
        nemesis.heal()
        if "returns" in self.plan.habits:
            await self._return()
        await self._settle()
        if self.plan.archived:
            await self._archive()
        await self.people.ask_again()
        self.people.check()
        self.world.laws.sums()

    async def _return(self) -> None:
        """All screens go, something happens, and they come back; then nothing happens any more."""
        for spectator in self.spectators:
            spectator.wishes = self.rng.random() < 0.5
            spectator.hang_up()
        await self.people.play(self.rng.choice(self.names), 1)

    def _deeds(self, nursery: trio.Nursery) -> None:
        people, rng, rounds = self.people, self.rng, self.plan.rounds
        for name in self.names:
            nursery.start_soon(people.play, name, rng.randint(1, rounds))
        for name in self.names[::3]:
            nursery.start_soon(people.travel, name, rng.randint(0, 3))
        for name in self.names[1::3]:
            nursery.start_soon(people.judge, name, rng.randint(0, 3))
        for number in range(rng.randint(0, 2)):
            nursery.start_soon(people.register, f"newcomer-{number}")
        nursery.start_soon(people.send_batches, self.names, rng.randint(0, 3))
        if "flood" in self.plan.habits:
            nursery.start_soon(people.flood, self.names)
        nursery.start_soon(people.look, self.boards, self.names, 2 * rounds)

    # --- the end ---

    async def _archive(self) -> None:
        """Long after the end of the day what it was is kept: who gained how much in it, and nobody who is hidden."""
        for worker in self.crew.workers[1:]:  # one of them does it
            worker.rests_s = math.inf
            worker.kill()
        await trio.sleep(self.plan.midnight_s + SETTLED_US / 1_000_000 + ROUND_S)
        for period in self.zones:
            self._look_into_archive(period)

    def _look_into_archive(self, period: Period) -> None:
        world, board = self.world, BoardId(period.name.lower())
        gained = {span for span in self._over(board) if world.scores.gained(span)}
        closed = {each.span: each.rows for each in world.archive._of(period) if each.rows is not None}
        world.laws.require(closed.keys() == gained, f"archived are {closed.keys()}, and not {gained}")
        for span, rows in closed.items():
            sums = {key: gain for key, (gain, _) in world.scores.gained(span).items()}
            world.laws.ordered(board, [Row(*row) for row in rows])
            kept = {row.user_id: row.score for row in rows}
            world.laws.require(kept.items() <= sums.items(), f"the archive has {kept}, the ledger {sums}")

    def _over(self, board: BoardId) -> list[Span]:
        """Periods of it that are over."""
        now_us = self.world.clock.now_us()
        moments = [outcome.fact.occurred_us for _, outcome in self.world.scores.ledger]
        spans = {self.world.laws.span(board, moment_us) for moment_us in moments}
        return [span for span in spans if span is not None and span.end_us + SETTLED_US <= now_us]

    async def _settle(self) -> None:
        """Wait until all is level; at the last look the first thing that is not breaks the law."""
        looks = (QUIET_S,) if self.plan.calm else LOOKS_S
        unlike: str | None = None
        if abs(self.plan.midnight_s - trio.current_time()) < QUIET_S:  # that is no quiet second
            await trio.sleep(2 * QUIET_S)
        for before, after in pairwise((0.0, *looks)):
            await trio.sleep(after - before)
            self.level_s = after
            unlike = await self._unlike()
            if unlike is None:
                break
            self.trace.note(f"not level yet: {unlike}")
        self.world.laws.require(unlike is None, f"after {self.level_s:g} s of quiet {unlike}")

    async def _unlike(self) -> str | None:
        """What is not as the ledger has it, if anything."""
        serving, ended = self.crew.serving, set(self.world.accounts.ended)
        if len(serving) < len(self.crew.workers):
            return "a worker is not there"
        for each in serving:
            for board in self.boards:
                found = await self._board(each, board)
                truth = self.world.laws.truth(board, self.world.clock.now_us())
                if found != truth:
                    return f"{board} of {each.life.name} shows {found}, the truth is {truth}"
                if (shown := _published(each, board)) not in {None, tuple(truth)}:
                    return f"{board} of {each.life.name} is published as {shown}, the truth is {truth}"
            if not ended <= each.ended:
                return f"{each.life.name} does not know that {ended - each.ended} have ended"
        for spectator in self.spectators:
            if (found := spectator.unlike()) is not None:
                return found
        return None

    async def _board(self, serving: Serving, board: BoardId) -> object:
        try:
            page = await serving.ask(lambda core: core.boards.ask(board, Page(1000, 0), within=10))
        except (Gone, ActorError) as error:
            return repr(error)
        return _told(page.rows)


def _published(serving: Serving, board: BoardId) -> tuple[object, ...] | None:
    """What is read without asking the board; None while nothing is published."""
    view = serving.core.published.current(board)
    return None if view is None else tuple(_told(view.rows))


def _told(rows: Sequence[Row]) -> list[tuple[int, int, str, str | None]]:
    return [(row.score, row.reached_us, row.user_id, row.country) for row in rows]


def simulate(
    seed: int,
    *,
    tell: Callable[[str], None] = lambda _: None,
    kinds: tuple[str, ...] | None = None,
    tight: tuple[str, ...] | None = None,
    habits: tuple[str, ...] | None = None,
) -> Report:
    """Run a seed, with these `kinds` of harm, `tight` bounds and `habits` instead of those that it draws, if given.

    Raises Broken, with what came before as notes.
    """
    trace = Trace(tell)
    simulated = Run(seed, trace, kinds, tight, habits)
    try:
        with tightened(simulated.plan.tight, seldom=simulated.plan.seldom):
            return run(seed, simulated.main, trace)
    except BaseException as error:
        error.add_note(f"seed {seed}: {simulated.plan}")
        error.add_note("\n".join(trace.last))
        error.add_note(f"replay: scripts/soak simulation --seed {seed}")
        raise
