from __future__ import annotations

import random
from functools import partial

import pytest
import trio
from trio.testing import MockClock

from actors.fraud.challenges import Challenges, ChallengesActor, ChallengesWorld
from actors.ports import PlayerStanding, StoreUnavailable
from actors.runtime import ActorError, Question, running_actor
from tests.fakes import FakeFraudStore
from tests.fakes.system import TrioClock
from tests.fraud.acts import ANN
from tests.ledger.office import PATIENT, running_office


async def test_whoever_is_restricted_is_asked_until_that_ends(autojump_clock: MockClock) -> None:
    """Soon after it was imposed or lifted, by whomever; while the store is away what was known stays."""
    async with running_office() as office:
        office.add("ann", "bob")
        ann, clock, missed = office.store.players.rows[ANN], TrioClock(), list[Exception]()
        store, challenges = FakeFraudStore(office.store.players), Challenges(clock)
        ann.standing = PlayerStanding(restricted_until_us=clock.now_us() + 60_000_000)
        make = partial(ChallengesActor, ChallengesWorld(store, clock, challenges, missed.append, look_s=2))
        async with running_actor("challenges", make, rng=random.Random(0), options=PATIENT) as actor:
            await trio.sleep(0.1)
            asked = [(challenges.ask(ANN), challenges.ask(type(ANN)("bob")))]
            store.faults.fail_before(StoreUnavailable("away"))
            ann.standing = PlayerStanding()
            await trio.sleep(2)
            asked.append((challenges.ask(ANN), len(missed) == 1))
            await trio.sleep(2)
            asked.append((challenges.ask(ANN), len(missed) == 1))
            assert [(True, False), (True, True), (False, True)] == asked
            ann.standing = PlayerStanding(restricted_until_us=clock.now_us() + 3_000_000)
            await trio.sleep(2)
            assert challenges.ask(ANN)
            await trio.sleep(1.5)
            assert not challenges.ask(ANN)
            with pytest.raises(ActorError):
                await actor.ask(Question[None](), within=5)


async def test_a_store_that_is_stuck_holds_up_no_later_look(autojump_clock: MockClock) -> None:
    """It has its time, and is asked again."""
    async with running_office() as office:
        office.add("ann")
        store, clock, missed = FakeFraudStore(office.store.players), TrioClock(), list[Exception]()
        challenges = Challenges(clock)
        world = ChallengesWorld(store, clock, challenges, missed.append, look_s=2, store_within_s=5)
        gate = store.faults.hold()
        async with running_actor("c", partial(ChallengesActor, world), rng=random.Random(0), options=PATIENT):
            await trio.sleep(6)
            assert [trio.TooSlowError] == [type(each) for each in missed]
            until_us = clock.now_us() + 60_000_000
            office.store.players.rows[ANN].standing = PlayerStanding(restricted_until_us=until_us)
            gate.set()
            await trio.sleep(4)
            assert challenges.ask(ANN)
