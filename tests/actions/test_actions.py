from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
import trio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from actors.actions.actor import ActionsActor, ActionsWorld
from actors.actions.messages import (
    ActionCompleted,
    ActionNotFound,
    ActionTooOften,
    Catalogue,
    CatalogueUnavailable,
    Proof,
    ProofRefused,
    ProofRejected,
    Prove,
)
from actors.actions.proof import HmacVerifier, Verifier, judge, signed_text
from actors.ports import ED25519, HMAC, ActionKind, Source, StoreUnavailable, UserId, key_id
from actors.runtime import Ref, running_actor
from actors.user.token import sign
from scoreboard.security.ed25519 import Ed25519Verifier
from tests.fakes import FakeClock, FakeEvidenceStore, FakeScoreStore, Players

KEY, ARENA_KEY = b"key of the game", b"key of the arena"
HERE = Source("192.0.2.1", "test")
PRIVATE = Ed25519PrivateKey.generate()
ADA = UserId("ada")


@dataclass
class Desk:
    """The keeper of actions, and what it reads."""

    store: FakeScoreStore
    clock: FakeClock
    actions: Ref
    evidence: FakeEvidenceStore
    rejected: list[ProofRejected] = field(default_factory=list)

    async def prove(
        self,
        action_type: str = "WIN_GAME",
        *,
        key: bytes = KEY,
        name: bytes = b"name",
        age_s: float = 0,
        signature: str | None = None,
    ) -> ActionKind:
        """Ask with a proof of something that was done so long ago."""
        signature = signature or sign(signed_text(action_type, "id", ADA, "now"), key)
        proof = Proof("now", self.clock.now_us() - round(age_s * 1_000_000), signature)
        asked: Prove[ActionKind] = Prove(ADA, action_type, "id", proof, name, HERE, lambda kind: kind)
        return await self.actions.ask(asked, within=30)

    def reasons(self) -> list[str]:
        """Why proofs were refused, as it was told to who watches."""
        return [rejected.reason for rejected in self.rejected]


@asynccontextmanager
async def running_desk(**changes: Any) -> AsyncIterator[Desk]:
    """Run it; `changes` are of what the catalogue says of winning a game."""
    clock = FakeClock()
    store = FakeScoreStore(Players(clock), clock)
    evidence, rejected = FakeEvidenceStore(store), list[ProofRejected]()
    store.described["WIN_GAME"] = ActionKind("WIN_GAME", 100)._replace(**changes)
    secrets = {"game": [b"another", KEY], "arena": [ARENA_KEY]}
    public = {"arena": [PRIVATE.public_key().public_bytes_raw()]}
    verifiers: dict[str, Verifier] = {
        HMAC: HmacVerifier(lambda name: secrets.get(name, [])),
        ED25519: Ed25519Verifier(lambda name: public.get(name, []), key_id),
    }
    make = partial(ActionsActor, ActionsWorld(store, evidence, clock, verifiers, rejected.append))
    async with running_actor("actions", make, rng=random.Random(0)) as actions:
        yield Desk(store, clock, actions, evidence, rejected)


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
        assert ["completed"] == desk.reasons()
        assert {} == desk.evidence.kept


async def test_the_catalogue_is_read_again_every_minute(autojump_clock: MockClock) -> None:
    """What is known stays good while the store is away."""
    async with running_desk() as desk:
        await desk.prove()
        desk.store.described["WIN_GAME"] = ActionKind("WIN_GAME", 7)
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
    evidence = FakeEvidenceStore(store)
    make = partial(ActionsActor, ActionsWorld(store, evidence, clock, {HMAC: HmacVerifier(lambda _: [KEY])}))
    async with running_actor("actions", make, rng=random.Random(0)) as actions:
        desk = Desk(store, clock, actions, evidence)
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
    verifiers: dict[str, Verifier] = {
        HMAC: HmacVerifier(lambda _: [KEY]),
        ED25519: Ed25519Verifier(lambda _: [bytes(32)], key_id),
    }
    for verifier in (HMAC, ED25519, "another"):
        kind = ActionKind("FLY", 1, verifier=verifier)
        refusal = judge(verifiers, kind, text, Proof(text, moment_us, signature), now_us=0)
        assert isinstance(refusal, ProofRefused)
        assert {"reason": "forged"} == refusal.details


async def test_what_is_granted_is_kept_with_all_that_proves_it(autojump_clock: MockClock) -> None:
    """Before the token is handed out; a repetition after a lost answer changes nothing."""
    async with running_desk() as desk:
        await desk.prove()
        await desk.prove()
    ((name, user_id), kept), *others = desk.evidence.kept.items()
    assert (b"name", ADA, []) == (name, user_id, others)
    assert ("WIN_GAME", "id", 100, HMAC, "game", key_id(KEY), "now", HERE) == (
        *(kept.action_type, kept.action_id, kept.points, kept.verifier, kept.key, kept.key_id),
        *(kept.timestamp, kept.source),
    )


async def test_nothing_is_granted_that_cannot_be_kept(autojump_clock: MockClock) -> None:
    """A store that fails, before or after it has kept it; who asks again gets the token."""
    async with running_desk(most=1) as desk:
        await desk.actions.ask(Catalogue(), within=5)
        desk.store.faults.fail_before(StoreUnavailable())
        desk.store.faults.fail_after(StoreUnavailable())
        for _ in range(2):
            with pytest.raises(CatalogueUnavailable):
                await desk.prove()
        assert 100 == (await desk.prove()).points
        assert [] == desk.rejected


async def test_each_type_of_action_is_proven_with_the_key_that_it_names(autojump_clock: MockClock) -> None:
    """Whoever holds another key of this server proves nothing here."""
    async with running_desk(key="arena") as desk:
        with pytest.raises(ProofRefused):
            await desk.prove()
        assert 100 == (await desk.prove(key=ARENA_KEY)).points
        assert ["forged"] == desk.reasons()


async def test_a_proof_may_be_made_with_a_key_that_this_server_does_not_have(autojump_clock: MockClock) -> None:
    """Ed25519 under the public half that was registered by that name; nothing else will do instead."""
    signed = signed_text("WIN_GAME", "id", ADA, "now").encode()
    async with running_desk(verifier=ED25519, key="arena") as desk:
        assert 100 == (await desk.prove(signature=PRIVATE.sign(signed).hex())).points
        public = PRIVATE.public_key().public_bytes_raw()
        for signature in (
            PRIVATE.sign(signed + b"0").hex(),
            Ed25519PrivateKey.generate().sign(signed).hex(),
            PRIVATE.sign(signed).hex().upper(),
            sign(signed.decode(), public),
            sign(signed.decode(), ARENA_KEY),
        ):
            with pytest.raises(ProofRefused):
                await desk.prove(name=b"another", signature=signature)
        (kept,) = desk.evidence.kept.values()
        assert (ED25519, "arena", key_id(public)) == (kept.verifier, kept.key, kept.key_id)


async def test_a_honeypot_is_told_to_nobody_and_tells_of_who_finds_it(autojump_clock: MockClock) -> None:
    """It is refused as what does not exist, with a good proof as well."""
    async with running_desk(honeypot=True) as desk:
        told = await desk.actions.ask(Catalogue(), within=5)
        assert "WIN_GAME" not in [kind.action_type for kind in told]
        with pytest.raises(ActionNotFound):
            await desk.prove(key=b"foreign")
        with pytest.raises(ActionNotFound) as refused:
            await desk.prove()
        with pytest.raises(ActionNotFound) as unknown:
            await desk.prove("FLY_HIGH")
        assert str(unknown.value) == str(refused.value).replace("WIN_GAME", "FLY_HIGH")
        assert ["honeypot", "honeypot", "unknown"] == desk.reasons()


async def test_the_same_cannot_be_done_again_within_the_time_that_it_takes(autojump_clock: MockClock) -> None:
    """Counted by when it was done, whichever proof comes first; other types and other players are another matter."""
    async with running_desk(least_s=20) as desk:
        await desk.prove(name=b"1", age_s=30)
        for age_s in (11, 49):
            with pytest.raises(ProofRefused) as refused:
                await desk.prove(name=b"2", age_s=age_s)
            assert {"reason": "too_soon"} == refused.value.details
        await desk.prove(name=b"3", age_s=10)
        await desk.prove("COMPLETE_QUEST", name=b"4", age_s=10)
        assert ["too_soon", "too_soon"] == desk.reasons()


async def test_what_was_done_often_enough_counts_again_when_the_window_has_passed(autojump_clock: MockClock) -> None:
    """The refusal says when, and a repetition of what was granted is no further one."""
    async with running_desk(most=2, window_s=100) as desk:
        await desk.prove(name=b"1", age_s=50)
        await desk.prove(name=b"2", age_s=20)
        with pytest.raises(ActionTooOften) as refused:
            await desk.prove(name=b"3")
        assert 50 == refused.value.retry_after_s
        await desk.prove(name=b"1", age_s=50)
        desk.clock.us += 50_000_000
        await desk.prove(name=b"3")
        assert ["too_often"] == desk.reasons()


async def test_what_was_granted_is_granted_again_though_the_rules_are_stricter_now(autojump_clock: MockClock) -> None:
    """Who asks again after a lost answer gets the token; who does it another time does not."""
    async with running_desk() as desk:
        for name in (b"1", b"2"):
            await desk.prove(name=name)
        desk.store.described["WIN_GAME"] = ActionKind("WIN_GAME", 100, most=1)
        await trio.sleep(61)
        await desk.prove(name=b"1")
        with pytest.raises(ActionTooOften):
            await desk.prove(name=b"3")


async def test_proofs_that_are_judged_together_see_one_another(autojump_clock: MockClock) -> None:
    """Of a hundred at the same moment as many are granted as may be."""
    async with running_desk(most=3) as desk:
        gate, granted = desk.store.faults.hold(), list[int]()

        async def one(number: int) -> None:
            try:
                await desk.prove(name=b"%d" % number)
            except ActionTooOften:
                return
            granted.append(number)

        async with trio.open_nursery() as nursery:
            for number in range(100):
                nursery.start_soon(one, number)
            await trio.sleep(1)
            gate.set()
        assert 3 == len(granted) == len(desk.evidence.kept)
        assert 97 == len(desk.rejected)
