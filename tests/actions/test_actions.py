from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from actors.actions.actor import ActionsActor, ActionsWorld
from actors.actions.messages import (
    ActionCompleted,
    ActionNotFound,
    Catalogue,
    CatalogueUnavailable,
    Proof,
    ProofRefused,
    Prove,
)
from actors.actions.proof import HmacVerifier, judge, signed_text
from actors.ports import HMAC, ActionKind, StoreUnavailable, UserId
from actors.runtime import Ref, running_actor
from actors.user.token import sign
from tests.fakes import FakeClock, FakeScoreStore, Players

KEY = b"key of the game"
ADA = UserId("ada")


@dataclass
class Desk:
    """The keeper of actions, and what it reads."""

    store: FakeScoreStore
    clock: FakeClock
    actions: Ref

    async def prove(self, action_type: str = "WIN_GAME", *, key: bytes = KEY, name: bytes = b"name") -> ActionKind:
        """Ask with a proof of now."""
        text = signed_text(action_type, "id", ADA, "now")
        proof = Proof("now", self.clock.now_us(), sign(text, key))
        asked: Prove[ActionKind] = Prove(ADA, action_type, "id", proof, name, lambda kind: kind)
        return await self.actions.ask(asked, within=30)


@asynccontextmanager
async def running_desk() -> AsyncIterator[Desk]:
    """Run it."""
    clock = FakeClock()
    store = FakeScoreStore(Players(clock), clock)
    world = ActionsWorld(store, clock, {HMAC: HmacVerifier(lambda: [b"another", KEY])})
    make = partial(ActionsActor, world)
    async with running_actor("actions", make, rng=random.Random(0)) as actions:
        yield Desk(store, clock, actions)


async def test_a_good_proof_is_answered_with_what_it_is_worth(autojump_clock: MockClock) -> None:
    """With any key that is believed."""
    async with running_desk() as desk:
        assert ActionKind("WIN_GAME", 100) == await desk.prove()
        with pytest.raises(ProofRefused):
            await desk.prove(key=b"foreign")
        with pytest.raises(ActionNotFound):
            await desk.prove("FLY")


async def test_all_that_wait_are_looked_up_in_one_question(autojump_clock: MockClock) -> None:
    """Nobody pays a round trip alone."""
    async with running_desk() as desk:
        await desk.prove()
        gate, before = desk.store.faults.hold(), desk.store.faults.calls
        async with trio.open_nursery() as nursery:
            for _ in range(50):
                nursery.start_soon(desk.prove)
            await trio.sleep(1)
            gate.set()
        assert 1 == desk.store.faults.calls - before


async def test_an_action_that_has_counted_is_told_to_be_completed(autojump_clock: MockClock) -> None:
    """By its name, whoever asks."""
    async with running_desk() as desk:
        desk.store._spent[b"counted"] = None  # type: ignore[assignment]
        with pytest.raises(ActionCompleted):
            await desk.prove(name=b"counted")


async def test_the_catalogue_is_read_again_every_minute(autojump_clock: MockClock) -> None:
    """What is known stays good while the store is away."""
    async with running_desk() as desk:
        await desk.prove()
        desk.store.catalogue["WIN_GAME"] = 7
        assert 100 == (await desk.prove()).points
        desk.store.faults.fail_before(StoreUnavailable())
        await trio.sleep(61)
        assert 100 == (await desk.prove()).points
        await trio.sleep(60)
        assert 7 == (await desk.prove()).points


async def test_without_a_store_nothing_is_judged_and_later_it_is(autojump_clock: MockClock) -> None:
    """Neither at the start nor at the look for what has counted; one that hangs is given up."""
    clock = FakeClock()
    store = FakeScoreStore(Players(clock), clock)
    store.faults.fail_before(StoreUnavailable(), StoreUnavailable())
    make = partial(ActionsActor, ActionsWorld(store, clock, {HMAC: HmacVerifier(lambda: [KEY])}))
    async with running_actor("actions", make, rng=random.Random(0)) as actions:
        desk = Desk(store, clock, actions)
        with pytest.raises(CatalogueUnavailable):
            await actions.ask(Catalogue(), within=5)
        kinds = await actions.ask(Catalogue(), within=5)
        assert 4 == len(kinds)
        store.faults.fail_before(StoreUnavailable())
        with pytest.raises(CatalogueUnavailable):
            await desk.prove()
        gate, began = store.faults.hold(), trio.current_time()
        with pytest.raises(CatalogueUnavailable):
            await desk.prove()
        assert 10 == trio.current_time() - began
        gate.set()
        assert 100 == (await desk.prove()).points


@given(st.text(), st.text(), st.integers(-(2**62), 2**62))
def test_no_text_is_a_proof_by_chance(text: str, signature: str, moment_us: int) -> None:
    """Nor does any make an error, with a verifier that there is or one that there is not."""
    verifiers = {HMAC: HmacVerifier(lambda: [KEY])}
    for verifier in (HMAC, "ed25519"):
        refusal = judge(verifiers, verifier, text, Proof(text, moment_us, signature), now_us=0)
        assert refusal is not None
        assert {"reason": "forged"} == refusal.details
