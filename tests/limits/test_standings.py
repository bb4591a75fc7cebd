"""What standing makes of a limit, and who knows how players stand."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from actors.limits.limiter import Limiter
from actors.limits.messages import LookUp
from actors.limits.players import LimitedPlayers
from actors.limits.standings import Adapting, Standings
from actors.limits.standings_actor import StandingsActor, StandingsWorld
from actors.limits.windows import Windows
from actors.ports import PlayerStanding, Quota, StoreUnavailable, UserId
from actors.runtime import Ref, running_actor
from tests.fakes import FakeAuditLog, FakeFraudStore, FakeStandingStore, Players
from tests.fakes.system import TrioClock

ADA = UserId("ada")
TEN = Quota(10)
LATER_US, LONG_AGO_US = 2**60, 1
AWAY = StoreUnavailable("away")


@dataclass
class Stage:
    """A store with one player, and the workers that read it."""

    players: Players = field(default_factory=lambda: Players(TrioClock()))
    missed: list[Exception] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.players.add(ADA)
        self.standing = FakeStandingStore(self.players, FakeAuditLog())
        self.fraud = FakeFraudStore(self.players)

    def stands(self, **changed: Any) -> PlayerStanding:
        """From now on Ada stands so."""
        row = self.players.rows[ADA]
        row.standing = replace(row.standing, **changed)
        return row.standing

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[tuple[LimitedPlayers, Standings]]:
        """One that has read who is restricted."""
        standings, clock = Standings(Adapting()), TrioClock()
        world = StandingsWorld(standings, self.standing, self.fraud, clock, missed=self.missed.append)
        async with running_actor("standings", partial(StandingsActor, world), rng=random.Random(1)) as looking:
            limiter = Limiter(Windows(), Ref("nobody", lambda _: None))
            await trio.sleep(1)
            yield LimitedPlayers(limiter, standings, looking, clock), standings


def allowed(players: LimitedPlayers, times: int = 50, user_id: UserId = ADA) -> int:
    """How many of so many at once."""
    return sum(players.take(user_id, "tokens", TEN).allowed for _ in range(times))


@pytest.mark.parametrize(
    ("standing", "count"),
    [
        ({}, 10),
        ({"restricted_until_us": LATER_US}, 1),
        ({"restricted_until_us": LONG_AGO_US}, 10),
        ({"tier": "premium"}, 20),
        ({"tier": "unheard of"}, 10),
        ({"reputation": 100}, 20),
        ({"reputation": 50}, 14),
        ({"reputation": -100}, 5),
        ({"reputation": -(10**9)}, 5),
        ({"tier": "premium", "reputation": 10**9}, 40),
        ({"tier": "premium", "reputation": 100, "restricted_until_us": LATER_US}, 1),
        ({"flagged": True}, 10),
    ],
)
async def test_standing_raises_and_lowers_a_limit(
    autojump_clock: MockClock, standing: dict[str, Any], count: int
) -> None:
    """Who is restricted has one a minute, whatever else speaks for the player."""
    stage = Stage()
    stage.stands(**standing)
    async with stage.worker() as (players, _):
        players.look(ADA, "tokens", TEN)
        players.take(ADA, "another", TEN)
        await trio.sleep(1)
        assert count == allowed(players)
        assert (count, 0) == ((left := players.look(ADA, "tokens", TEN)).limit, left.remaining)


async def test_who_is_restricted_is_so_from_the_first_request_on(autojump_clock: MockClock) -> None:
    """This worker has never served the player, and asks nobody before it answers."""
    stage = Stage()
    stage.stands(restricted_until_us=LATER_US)
    async with stage.worker() as (players, _):
        assert 1 == allowed(players)


async def test_a_limit_is_never_less_than_one(autojump_clock: MockClock) -> None:
    """Not by reputation, nor more than it was by being restricted."""
    stage = Stage()
    stage.stands(reputation=-100)
    async with stage.worker() as (players, _):
        players.take(ADA, "another", TEN)
        await trio.sleep(1)
        assert players.take(ADA, "tokens", Quota(1)).allowed
    slowed = Standings(Adapting(restricted=5))
    slowed.restrict_all({ADA: LATER_US}, 0)
    assert [1, 5] == [slowed.quota(ADA, Quota(count), 0).count for count in (1, 10)]
    disliked = Standings(Adapting())
    disliked.found([ADA], {ADA: PlayerStanding(reputation=-100)}, 0)
    assert [1, 1, 2] == [disliked.quota(ADA, Quota(count), 0).count for count in (1, 2, 4)]


async def test_a_restriction_ends_at_its_time(autojump_clock: MockClock) -> None:
    """Nobody has to be told."""
    standings = Standings(Adapting())
    standings.restrict_all({ADA: 1000}, 0)
    assert [1, 10] == [standings.quota(ADA, TEN, now_us).count for now_us in (999, 1000)]


async def test_nobody_is_asked_for_with_each_request(autojump_clock: MockClock) -> None:
    """Once a minute, whether there was an answer or not."""
    asked, nobody = list[object](), Ref("nobody", lambda _: None)
    looking = Ref("looking", lambda request: asked.append(request.message))
    players = LimitedPlayers(Limiter(Windows(), nobody), Standings(Adapting()), looking, TrioClock())
    for minutes in (1, 2, 3):
        allowed(players, 3)
        assert [LookUp(ADA)] * minutes == asked
        await trio.sleep(60)


async def test_a_change_holds_at_once_where_it_is_made_and_soon_elsewhere(autojump_clock: MockClock) -> None:
    """Within ten seconds, imposed and lifted; also while the worker was reading how it was before."""
    stage = Stage()
    async with stage.worker() as (_, here), stage.worker() as (there, _):
        for until_us, here_count, there_before, there_after in ((LATER_US, 1, 10, 1), (None, 10, 1, 10)):
            here.stood(ADA, stage.stands(restricted_until_us=until_us), trio.current_time())
            here.restrict_all({ADA: LATER_US} if until_us is None else {}, trio.current_time() - 1)
            assert here_count == here.quota(ADA, TEN, TrioClock().now_us()).count
            assert there_before == there.look(ADA, "tokens", TEN).limit
            await trio.sleep(11)
            assert there_after == there.look(ADA, "tokens", TEN).limit
            assert here_count == here.quota(ADA, TEN, TrioClock().now_us()).count


async def test_a_change_made_here_holds_before_anybody_is_asked(autojump_clock: MockClock) -> None:
    """Restriction and tier; until the store has said how it was after that, which may be another one's change."""
    standings = Standings(Adapting())
    standings.stood(ADA, PlayerStanding(tier="premium", restricted_until_us=LATER_US), 5)
    assert 1 == standings.quota(ADA, TEN, 0).count
    standings.restrict_all({}, 5)
    assert 1 == standings.quota(ADA, TEN, 0).count
    standings.restrict_all({}, 6)
    assert 20 == standings.quota(ADA, TEN, 0).count
    standings.stood(ADA, PlayerStanding(), 7)
    assert (10, "<Standings, 0 restricted, 1 known>") == (standings.quota(ADA, TEN, 0).count, repr(standings))


async def test_who_is_not_known_yet_has_everybody_s_limit(autojump_clock: MockClock) -> None:
    """Neither more nor less; and who was looked up is not looked up again for a minute."""
    standings = Standings(Adapting())
    assert [True, False] == [standings.ask_for(ADA, at_s) for at_s in (0, 59)]
    assert 10 == standings.quota(ADA, TEN, 0).count
    standings.found([ADA], {}, 30)
    assert [False, True] == [standings.ask_for(ADA, at_s) for at_s in (89, 90)]


async def test_who_cannot_be_looked_up_stands_as_before(autojump_clock: MockClock) -> None:
    """A store that is away makes nobody faster."""
    stage = Stage()
    stage.stands(restricted_until_us=LATER_US)
    async with stage.worker() as (players, _):
        stage.standing.faults.fail_before(*[AWAY] * 100)
        stage.fraud.faults.fail_before(*[AWAY] * 100)
        assert 1 == allowed(players)
        await trio.sleep(100)
        assert 1 == allowed(players)
        assert {AWAY} == set(stage.missed)


async def test_a_store_that_is_stuck_is_given_up(autojump_clock: MockClock) -> None:
    """Both questions, after a second each; whoever asks for the reason hears it, and nobody is restricted meanwhile."""
    stage = Stage()
    async with stage.worker() as (players, _):
        gates = stage.standing.faults.hold(), stage.fraud.faults.hold()
        players.take(ADA, "tokens", TEN)
        await trio.sleep(25)  # between the second look and the third
        assert [trio.TooSlowError] * 3 == [type(each) for each in stage.missed]
        for gate in gates:
            gate.set()
        stage.stands(restricted_until_us=LATER_US, tier="premium")
        await trio.sleep(31)
        assert 1 == players.look(ADA, "tokens", TEN).limit


async def test_who_cannot_be_looked_up_is_told_of(autojump_clock: MockClock) -> None:
    """Nobody falls for it; what is no question of standings is a mistake of ours."""
    missed = list[Exception]()
    stage = Stage()
    world = StandingsWorld(Standings(Adapting()), stage.standing, stage.fraud, TrioClock(), missed=missed.append)
    actor = StandingsActor(world)
    stage.standing.faults.fail_before(AWAY)
    await actor.receive_batch([_Asked(LookUp(ADA))])  # type: ignore[list-item]
    assert [AWAY] == missed
    with pytest.raises(TypeError):
        await actor.receive_batch([_Asked("nonsense")])  # type: ignore[list-item]


@dataclass
class _Asked:
    message: object


async def test_who_plays_is_looked_up_once_a_minute(autojump_clock: MockClock) -> None:
    """All of a moment in one go, and nobody waits for it."""
    stage = Stage()
    async with stage.worker() as (players, _):
        for _ in range(3):
            for name in ("ada", "bob", "eve"):
                players.take(UserId(name), "tokens", TEN)
        await trio.sleep(1)
        assert 1 == stage.standing.faults.calls
        await trio.sleep(60)
        players.take(ADA, "tokens", TEN)
        await trio.sleep(1)
        assert 2 == stage.standing.faults.calls


async def test_what_is_known_of_players_is_bounded(autojump_clock: MockClock) -> None:
    """Who was looked up longest ago is forgotten first."""
    standings = Standings(Adapting(), most=2)
    premium = PlayerStanding(tier="premium")
    for name in ("ada", "bob", "eve"):
        standings.found([UserId(name)], {UserId(name): premium}, 0)
    counts = [standings.quota(UserId(name), TEN, 0).count for name in ("ada", "bob", "eve")]
    assert ([10, 20, 20], "<Standings, 0 restricted, 2 known>") == (counts, repr(standings))
    standings.found([UserId("bob")], {UserId("bob"): premium}, 0)
    standings.found([ADA], {ADA: premium}, 0)
    assert [20, 10] == [standings.quota(UserId(name), TEN, 0).count for name in ("bob", "eve")]
