"""Boards of a period and of a country, told alike by memory and by SQL and by a naive sum of what was committed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count

import pytest
import trio
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from actors.ports import BoardScope, Committed, Period, ProfileChange, ScoreFact, Span, UserId
from tests.contract.making import World, fake_backend, real_backend, write
from tests.stores_fixtures import StoreServers

pytestmark = pytest.mark.stores
_histories = count(1)

MINUTE_US = 60_000_000
#: So many minutes before the history begins something was done; 11 are more than a write may be late.
AGES = (0, 1, 2, 5, 9, 11)
SPANS = ((20, 10), (6, 2), (2, 0), (9, 1))
COUNTRIES = (None, "DE", "FR")

#: A score (player, points, age), a new country (player, country), a player who is hidden or shown again, or a ban of
#: the last player that nobody is told of.
scores = st.tuples(st.just("score"), st.integers(0, 2), st.integers(1, 2), st.sampled_from(AGES))
moves = st.tuples(st.just("move"), st.integers(0, 2), st.sampled_from(COUNTRIES), st.just(0))
stands = st.tuples(st.just("stand"), st.integers(0, 2), st.sampled_from([0, 1]), st.just(0))
bans = st.tuples(st.just("ban"), st.just(2), st.just(0), st.just(0))
Step = tuple[str, int, int | str | None, int]
Told = dict[int, tuple[int, int, int]]


@dataclass
class Life:
    """One world while a history happens in it, and all that it was told."""

    world: World
    players: Sequence[UserId]
    begin_us: int
    facts: list[ScoreFact] = field(default_factory=list)
    country: dict[UserId, str | None] = field(default_factory=dict)
    banned: set[UserId] = field(default_factory=set)
    hidden: set[UserId] = field(default_factory=set)

    async def step(self, step: Step) -> None:
        """Do it; what the boards are told is kept, in the order of commits."""
        kind, number, value, age = step
        player = self.players[number]
        if kind == "ban":
            await self.world.ban(player)
            self.banned.add(player)
        elif kind == "move":
            fact = await self.world.profiles.change_profile(player, ProfileChange(country=value))  # type: ignore[arg-type]
            if isinstance(fact, ScoreFact):
                self.country[player] = fact.country
        elif kind == "stand":
            await self.world.stand(player, quarantined=bool(value))
            (self.hidden.add if value else self.hidden.discard)(player)
        else:
            occurred_us = self.begin_us - age * MINUTE_US
            one = write(player, points=int(value or 0), occurred_us=occurred_us)
            [outcome] = await self.world.scores.commit([one])
            if isinstance(outcome, Committed):
                self.facts.append(outcome.fact)

    def naive(self, span: Span | None, country: str | None) -> list[tuple[int, int]]:
        """The board by adding up: players by rank, with their scores."""
        gains: dict[UserId, tuple[int, int]] = {}
        for fact in self.facts:
            if span is None or span.holds(fact.occurred_us):
                gains[fact.user_id] = (gains.get(fact.user_id, (0, 0))[0] + fact.points, fact.reached_us)
        there = [
            key for key in gains if key not in self.banned | self.hidden and country in (None, self.country.get(key))
        ]
        order = sorted(there, key=lambda key: (-gains[key][0], gains[key][1], key))
        return [(self.players.index(key), gains[key][0]) for key in order]

    async def told(self, span: Span | None, country: str | None) -> list[tuple[int, int]]:
        """The board as the store tells it, in order; of all time without those who never scored."""
        scope = BoardScope(Period.ALL_TIME if span is None else Period.DAILY, country)
        found: list[tuple[int, int, UserId]] = []
        hidden: set[UserId] = set()
        async with self.world.scores.all_members(scope, span) as pages:
            while (page := await pages.next()) is not None:
                shown = page.shown()
                found += zip(shown.scores, shown.reached_us, shown.user_ids, strict=True)
                hidden |= {fact.user_id for fact in page.facts() if fact.hidden}
        assert hidden <= self.banned | self.hidden
        mine = [row for row in found if row[2] in self.players and row[0]]
        return [(self.players.index(key), score) for score, _, key in sorted(mine, key=lambda row: (-row[0], *row[1:]))]

    async def archived(self, span: Span, country: str | None) -> list[tuple[int, int]]:
        """The same of the archive, while the period is being closed."""
        page = await self.world.archive.page(Period.DAILY, span.label, limit=1000, country=country)
        rows = () if page is None else page.rows
        assert list(range(1, len(rows) + 1)) == [row.rank for row in rows]
        return [(self.players.index(row.user_id), row.score) for row in rows]


async def lived(world: World, history: int, steps: list[Step]) -> list[list[tuple[int, int]]]:
    """All boards at the end of a history; each is the naive one."""
    players = [await world.player(f"{history}-{number}") for number in range(3)]
    life = Life(world, sorted(players), await world.now_us())
    for step in steps:
        await life.step(step)
    boards = []
    for number, (old, young) in enumerate(SPANS):
        span = Span(life.begin_us - old * MINUTE_US, life.begin_us - young * MINUTE_US, f"{history}-{number}")
        await world.archive.open(Period.DAILY, [span])
        for country in COUNTRIES:
            boards.append(await life.told(span, country))
            assert life.naive(span, country) == boards[-1] == await life.archived(span, country)
    for country in COUNTRIES:
        boards.append(await life.told(None, country))
        assert life.naive(None, country) == boards[-1]
    return boards


@example(history=[("score", 0, 1, 1), ("score", 1, 2, 1), ("score", 0, 1, 1)])  # equal, and the second was there first
@example(history=[("score", 0, 1, 11), ("score", 1, 1, 9)])  # later than a write may be
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(scores | scores | scores | moves | stands | bans, min_size=1, max_size=15))
def test_every_board_is_the_naive_sum_of_what_was_committed(
    store_servers: StoreServers, redis_url: str, history: list[Step]
) -> None:
    """Late writes, moves from country to country and ties in any order; both stores tell the same."""

    async def both() -> None:
        number = next(_histories)
        async with fake_backend().open() as fake:
            expected = await lived(fake, number, history)
        name, url = store_servers.fresh_database()
        async with real_backend(url, redis_url).open() as real:
            assert expected == await lived(real, number, history)
        store_servers.sql(f"DROP DATABASE {name} WITH (FORCE)")

    trio.run(partial(both))
