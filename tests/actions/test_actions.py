from __future__ import annotations

import random
from functools import partial

import pytest
import trio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.actions.actor import ActionsActor, ActionsWorld
from actors.actions.messages import (
    ActionCompleted,
    ActionNotFound,
    ActionTooOften,
    Catalogue,
    CatalogueUnavailable,
    Proof,
    ProofRefused,
)
from actors.actions.proof import HmacVerifier, Verifier, judge, signed_text
from actors.ports import CLOCK_SKEW_US, ED25519, HMAC, ActionKind, StoreUnavailable, UserId, key_id
from actors.runtime import running_actor
from actors.user.token import sign
from scoreboard.security.ed25519 import Ed25519Verifier
from tests.actions.desk import ADA, ARENA_KEY, HERE, KEY, PRIVATE, Asked, Desk, running_desk
from tests.fakes import FakeClock, FakeEvidenceStore, FakeScoreStore, Players


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


async def test_what_counts_is_told_without_the_store(autojump_clock: MockClock) -> None:
    """It was read before; so is it told while the store is away."""
    async with running_desk() as desk:
        await desk.prove()
        desk.store.faults.fail_before(StoreUnavailable())
        kinds = await desk.actions.ask(Catalogue(), within=5)
        assert 4 == len(kinds)


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


async def test_a_proof_that_is_shown_twice_at_once_is_granted_twice_and_counts_once(autojump_clock: MockClock) -> None:
    """A client that repeats itself before it has an answer hears no refusal; nothing more is kept."""
    async with running_desk(most=1) as desk:
        assert [True, True, False] == await desk.prove_together({"name": b"1"}, {"name": b"1"}, {"name": b"2"})
        assert [b"1", b"busy"] == sorted(name for name, _ in desk.evidence.kept)


async def test_an_action_is_of_one_type_whatever_else_is_proven_of_its_id(autojump_clock: MockClock) -> None:
    """Or what may be done once a minute would be granted each time, behind what may always be done of the same id."""
    async with running_desk(most=1) as desk:
        desk.store.described["RUN"] = ActionKind("RUN", 1)
        await trio.sleep(61)
        runs: list[Asked] = [{"name": name, "action_type": "RUN"} for name in (b"1", b"2")]
        assert [True, False, True] == await desk.prove_together(runs[0], {"name": b"1"}, runs[0])
        await desk.prove(**runs[1])
        for name in (b"1", b"2"):
            with pytest.raises(ActionCompleted, match="as RUN"):
                await desk.prove(name=name)
        await desk.prove(**runs[1])
        await desk.prove(who=UserId("bob"), name=b"1")
        kept = {(name, user_id): one.action_type for (name, user_id), one in desk.evidence.kept.items()}
        assert {(b"1", "ada"): "RUN", (b"2", "ada"): "RUN", (b"1", "bob"): "WIN_GAME"}.items() <= kept.items()
        assert ["completed"] * 3 == desk.reasons()


async def test_what_is_refused_holds_up_nothing_that_is_judged_with_it(autojump_clock: MockClock) -> None:
    """Only what counts is earlier than something."""
    async with running_desk(least_s=20) as desk:
        ages: list[Asked] = [{"name": b"%d" % age_s, "age_s": age_s} for age_s in (40, 30, 20)]
        assert [True, False, True] == await desk.prove_together(*ages)


async def test_players_and_types_that_are_judged_together_are_counted_apart(autojump_clock: MockClock) -> None:
    """What one did is nothing that another did."""
    async with running_desk(most=1) as desk:
        desk.store.described["RUN"] = ActionKind("RUN", 1, most=1)
        await trio.sleep(61)
        assert [True, True, True, False] == await desk.prove_together(
            {"name": b"1"},
            {"name": b"2", "action_type": "RUN"},
            {"name": b"3", "who": UserId("bob")},
            {"name": b"4", "action_type": "RUN"},
        )


@pytest.mark.parametrize(
    ("age_us", "reason"),
    [
        (60_000_000, None),
        (60_000_001, "expired"),
        (-CLOCK_SKEW_US, None),
        (-CLOCK_SKEW_US - 1, "future"),
    ],
)
def test_a_proof_is_good_for_a_minute(age_us: int, reason: str | None) -> None:
    """To the microsecond; of the future it may be as much as clocks differ."""
    proof = Proof("then", 10**15 - age_us, sign("text", KEY))
    verdict = judge({HMAC: HmacVerifier(lambda _: [KEY])}, ActionKind("RUN", 1), "text", proof, now_us=10**15)
    assert (key_id(KEY) if reason is None else {"reason": reason}) == getattr(verdict, "details", verdict)


async def test_nobody_is_suspected_while_the_catalogue_cannot_be_read(autojump_clock: MockClock) -> None:
    """Whatever was shown is asked for again, and is no forgery until then; later it is judged as ever."""
    async with running_desk() as desk:
        await wait_all_tasks_blocked()
        away = partial(ActionsActor, ActionsWorld(desk.store, desk.evidence, desk.clock, {}, desk.rejected.append))
        desk.store.faults.fail_before(StoreUnavailable(), StoreUnavailable())
        async with running_actor("away", away, rng=random.Random(0)) as actions:
            desk.actions = actions
            with pytest.raises(CatalogueUnavailable):
                await desk.prove(key=b"foreign")
            assert [] == desk.reasons()
            with pytest.raises(ProofRefused):
                await desk.prove(key=b"foreign")
            assert ["forged"] == desk.reasons()


async def test_what_it_does_not_understand_is_a_mistake_of_ours(autojump_clock: MockClock) -> None:
    """It says so, and goes on."""
    async with running_desk() as desk:
        desk.actions.tell("nonsense")
        await wait_all_tasks_blocked()
        assert 100 == (await desk.prove()).points
    with pytest.raises(TypeError):
        await ActionsActor(ActionsWorld(desk.store, desk.evidence, desk.clock, {})).receive_batch([_Odd()])  # type: ignore[list-item]


class _Odd:
    message = "nonsense"
