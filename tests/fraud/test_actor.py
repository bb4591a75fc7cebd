from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.fraud.actor import LESSONS, LESSONS_AT_ONCE, FraudActor
from actors.fraud.crowd import LOOK_EVERY_US, LOOKS, LOOKS_AT_ONCE
from actors.fraud.messages import Action, Seen
from actors.fraud.policy import Policy, Ruling
from actors.fraud.world import FraudRules, FraudWorld
from actors.ledger.standing import StandingActor, StandingWorld
from actors.ports import (
    NOWHERE,
    Consequence,
    FraudEvent,
    Habits,
    Moments,
    PlayerStanding,
    Severity,
    Source,
    StoreUnavailable,
    UserId,
)
from actors.runtime import Ref, running_actor
from tests.fakes import FakeFraudStore, FakeLearner, FakeStandingStore
from tests.fakes.system import CountedIds
from tests.fraud.acts import ANN, NOON_US, SECOND_US, action
from tests.ledger.office import PATIENT, running_office

HERE = Source("192.0.2.7", "a browser")


@dataclass
class Watch:
    """The watch at work, over players ann and bob."""

    store: FakeFraudStore
    standing: FakeStandingStore
    fraud: Ref
    detected: list[tuple[str, str]] = field(default_factory=list)
    told: list[FraudEvent] = field(default_factory=list)
    lost: list[int] = field(default_factory=list)

    def tell(self, *actions: Action) -> None:
        for each in actions:
            self.fraud.tell(each)

    def stands(self, user: str = "ann") -> PlayerStanding:
        return self.standing.players.rows[UserId(user)].standing

    async def found(self) -> list[str]:
        """The rules that told, the oldest first."""
        return [event.rule for event in (await self.store.found(limit=1000))[::-1]]


@asynccontextmanager
async def running_watch(
    rules: FraudRules | None = None, prepare: Callable[[FakeFraudStore], None] = lambda _: None, **bounds: Any
) -> AsyncIterator[Watch]:
    """Run it, with the standing of players behind it; `prepare` sees the store first."""
    async with running_office() as office:
        players = office.store.players
        office.add("ann", "bob")
        store, standings = FakeFraudStore(players), FakeStandingStore(players)
        prepare(store)
        make = partial(StandingActor, StandingWorld(standings, office.ledger))
        async with running_actor("standing", make, rng=random.Random(0), options=PATIENT) as standing:
            detected, told, lost = list[tuple[str, str]](), list[FraudEvent](), list[int]()
            world = FraudWorld(
                *(store, standing, CountedIds(), rules or FraudRules()),
                detected=lambda rule, severity: detected.append((rule, severity)),
                told=told.append,
                lost=lambda count: lost.append(count) if count else None,
                **bounds,
            )
            async with running_actor("fraud", partial(FraudActor, world), rng=random.Random(0)) as fraud:
                yield Watch(store, standings, fraud, detected, told, lost)


def ruled(**rulings: Consequence) -> FraudRules:
    """Only these rules, with these consequences."""
    return FraudRules(Policy({rule: Ruling(Severity.HIGH, then) for rule, then in rulings.items()}))


async def test_a_manipulated_token_bans_and_is_on_record(autojump_clock: MockClock) -> None:
    """With who, why and from where; counted, too."""
    async with running_watch() as watch:
        watch.tell(Action(ANN, NOON_US, Seen.FORGED, HERE))
        await trio.sleep(1)
        assert watch.stands().banned
        [event] = watch.told
        assert ("forged", Severity.CRITICAL, Consequence.BAN, 1) == (
            event.rule,
            event.severity,
            event.consequence,
            event.times,
        )
        assert [event] == await watch.store.found(user_id=ANN)
        [audited] = await watch.standing.audit.events()
        assert ("rule:forged", event.explanation, HERE) == (audited.done_by, audited.why, audited.source)
        assert [("forged", "critical")] == watch.detected
        assert PlayerStanding() == watch.stands("bob")


@pytest.mark.parametrize(
    ("consequence", "standing"),
    [
        (Consequence.LOG, PlayerStanding()),
        (Consequence.FLAG, PlayerStanding(flagged=True)),
        (Consequence.RESTRICT, PlayerStanding(restricted_until_us=NOON_US + 3600 * SECOND_US)),
        (Consequence.QUARANTINE, PlayerStanding(quarantined=True)),
        (Consequence.BAN, PlayerStanding(banned=True)),
    ],
)
async def test_each_consequence_is_what_it_says(
    autojump_clock: MockClock, consequence: Consequence, standing: PlayerStanding
) -> None:
    """And nothing else; what is only logged is written all the same."""
    async with running_watch(ruled(stolen=consequence)) as watch:
        watch.tell(action(0, Seen.STOLEN))
        await trio.sleep(1)
        assert standing == watch.stands()
        assert ["stolen"] == await watch.found()


async def test_who_stands_so_already_is_not_sentenced_again(autojump_clock: MockClock) -> None:
    """Each finding is written, but the audit is spared; what an operator has lifted is imposed anew."""
    async with running_watch(ruled(stolen=Consequence.FLAG)) as watch:
        for minute in range(3):
            watch.tell(action(minute * 61, Seen.STOLEN))
            await trio.sleep(61)
        assert 3 == len(await watch.found())
        assert 1 == len(await watch.standing.audit.events())
        watch.standing.players.rows[ANN].standing = PlayerStanding()
        watch.tell(action(400, Seen.STOLEN))
        await trio.sleep(1)
        assert watch.stands().flagged


async def test_the_same_is_written_once_a_minute_with_how_often(autojump_clock: MockClock) -> None:
    """Every finding is counted."""
    async with running_watch() as watch:
        watch.tell(*(action(number * 2, Seen.STOLEN) for number in range(30)), action(61, Seen.STOLEN))
        await trio.sleep(1)
        assert [1, 30] == [event.times for event in watch.told if event.rule == "stolen"]
        assert 31 == watch.detected.count(("stolen", "high"))


async def test_habits_are_kept_and_found_again(autojump_clock: MockClock) -> None:
    """By a watch that begins anew, also when it was ended at once; and by one that has forgotten who played."""
    async with running_watch(most_players=1) as watch:
        watch.tell(*(action(number * 30) for number in range(5)))
        watch.tell(Action(UserId("bob"), NOON_US, Seen.SCORED, NOWHERE, "QUEST", 7))
        await trio.sleep(31)
        assert 5 == watch.store.kept[ANN].actions
        watch.tell(action(150))
        await trio.sleep(31)
        assert 6 == watch.store.kept[ANN].actions
        watch.tell(action(180))
        await wait_all_tasks_blocked()
    assert 7 == watch.store.kept[ANN].actions


async def test_what_a_store_does_not_take_is_tried_again(autojump_clock: MockClock) -> None:
    """Findings, consequences and habits; whoever was done already is done once."""
    async with running_watch() as watch:
        watch.tell(action(0))
        await wait_all_tasks_blocked()
        watch.store.faults.fail_before(*[StoreUnavailable("away")] * 4)
        watch.standing.faults.fail_before(*[StoreUnavailable("away")] * 3)
        watch.standing.faults.fail_after(*[None] * 2, StoreUnavailable("lost"))
        watch.tell(action(1, Seen.FORGED))
        await trio.sleep(120)
        assert ["forged"] == await watch.found()
        assert watch.stands().banned
        assert 1 == len(await watch.standing.audit.events())
        assert 1 == watch.store.kept[ANN].actions
        assert [] == watch.lost


async def test_habits_that_could_not_be_kept_are_kept_later(autojump_clock: MockClock) -> None:
    """Though their player does nothing more; who is in memory is not read again."""
    async with running_watch() as watch:
        watch.tell(action(0))
        await wait_all_tasks_blocked()
        watch.store.faults.fail_before(StoreUnavailable("away"))
        await trio.sleep(31)
        assert {} == watch.store.kept
        await trio.sleep(10)
        assert 1 == watch.store.kept[ANN].actions
        calls = watch.store.faults.calls
        watch.tell(action(60))
        await wait_all_tasks_blocked()
        assert (calls, []) == (watch.store.faults.calls, watch.lost)


async def test_who_cannot_be_looked_up_is_judged_without_habits(autojump_clock: MockClock) -> None:
    """What is wrong in itself is seen; nothing is learnt that would take the place of what is known."""
    async with running_watch() as watch:
        watch.store.faults.fail_before(StoreUnavailable("away"))
        watch.tell(action(0, Seen.FORGED))
        await trio.sleep(60)
        assert watch.stands().banned
        assert {} == watch.store.kept
        assert [1] == watch.lost


async def test_what_waits_for_a_store_has_a_bound(autojump_clock: MockClock) -> None:
    """The oldest give way, and are counted."""
    async with running_watch(ruled(stolen=Consequence.LOG), most_waiting=3) as watch:
        gate = watch.store.faults.hold()
        watch.store.kept = {}
        watch.tell(*(Action(UserId(f"u{n}"), NOON_US, Seen.STOLEN, NOWHERE) for n in range(10)))
        await trio.sleep(60)
        gate.set()
        await trio.sleep(60)
        assert 10 + 7 == sum(watch.lost)  # none could be looked up, and seven findings too many


async def test_a_strange_message_is_a_mistake_of_ours(autojump_clock: MockClock) -> None:
    """It says so."""
    with pytest.raises(TypeError):
        FraudActor._is_action(None, "?")  # type: ignore[arg-type]


async def test_a_learner_is_taught_at_the_start_by_habits_that_are_kept(autojump_clock: MockClock) -> None:
    """Bit by bit, so that nobody waits, and again after a store was away; who has hardly played teaches nothing."""

    def prepare(store: FakeFraudStore) -> None:
        for number in range(LESSONS + 5):
            store.kept[UserId(str(number))] = Habits(paces=Moments(9, 3.0, 1.0), scored=[NOON_US])
        store.kept[UserId("new")] = Habits(paces=Moments(1, 3.0), scored=[NOON_US])
        store.kept[UserId("newer")] = Habits(paces=Moments(9, 3.0))
        store.faults.fail_before(StoreUnavailable("away"))

    learner = FakeLearner()
    async with running_watch(FraudRules(learner=learner), prepare) as watch:
        await trio.sleep(4)
        assert 0 == learner.learnt
        await trio.sleep(4)
        assert 0 < learner.learnt < LESSONS
        assert 0 == learner.learnt % LESSONS_AT_ONCE
        await trio.sleep(60)
        assert LESSONS - 2 == learner.learnt
        calls = watch.store.faults.calls
        await trio.sleep(600)
        assert (LESSONS - 2, calls) == (learner.learnt, watch.store.faults.calls)
    async with running_watch() as watch:  # without a learner nothing is read
        await trio.sleep(60)
        assert 0 == watch.store.faults.calls


async def test_each_batch_has_looks_of_its_own(autojump_clock: MockClock) -> None:
    """However many were taken before."""
    learner = FakeLearner()
    players = [UserId(f"player {number}") for number in range(LOOKS_AT_ONCE + 5)]
    async with running_watch(FraudRules(learner=learner)) as watch:
        await trio.sleep(60)
        for player in players:
            watch.store.kept[player] = Habits(paces=Moments(9, 3.0, 1.0))
            watch.tell(replace(action(0), user_id=player))
            await trio.sleep(1)
        assert len(players) == learner.learnt


async def test_what_the_learner_finds_is_written_as_what_rules_find(autojump_clock: MockClock) -> None:
    """With its consequence; it knows again who was looked at by habits that were kept."""
    rulings = {"unusual": Ruling(Severity.MEDIUM, Consequence.FLAG)}
    rules = FraudRules(Policy(rulings=rulings, unusual_from=0.5), learner=FakeLearner())
    async with running_watch(rules) as watch:
        watch.store.kept[ANN] = Habits(paces=Moments(9, 3.0, 1.0), looks=LOOKS - 1, unusual=1.0)
        for _ in range(2 * LOOKS_AT_ONCE):  # only one is learnt: what follows is as nobody was
            watch.tell(action(0))
        await trio.sleep(1)
        await wait_all_tasks_blocked()
        assert [] == await watch.found()
        watch.tell(action(LOOK_EVERY_US / 1e6 + 1))
        await trio.sleep(1)
        assert ["unusual"] == await watch.found()
        assert watch.stands().flagged
