"""The keeper of actions at work, as tests ask it."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypedDict

import trio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from trio.testing import wait_all_tasks_blocked

from actors.actions.actor import ActionsActor, ActionsWorld
from actors.actions.messages import Proof, ProofRejected, Prove
from actors.actions.proof import HmacVerifier, Verifier, signed_text
from actors.ports import ED25519, HMAC, ActionKind, Source, UserId, key_id
from actors.runtime import Ref, Refusal, running_actor
from actors.user.token import sign
from scoreboard.security.ed25519 import Ed25519Verifier
from tests.fakes import FakeClock, FakeEvidenceStore, FakeScoreStore, Players

KEY, ARENA_KEY = b"key of the game", b"key of the arena"
HERE = Source("192.0.2.1", "test")
PRIVATE = Ed25519PrivateKey.generate()
ADA = UserId("ada")


class Asked(TypedDict, total=False):
    """What `Desk.prove` may be told."""

    action_type: str
    name: bytes
    age_s: float
    who: UserId


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
        who: UserId = ADA,
    ) -> ActionKind:
        """Ask with a proof of something that was done so long ago."""
        signature = signature or sign(signed_text(action_type, "id", who, "now"), key)
        proof = Proof("now", self.clock.now_us() - round(age_s * 1_000_000), signature)
        asked: Prove[ActionKind] = Prove(who, action_type, "id", proof, name, HERE, lambda kind: kind)
        return await self.actions.ask(asked, within=30)

    async def prove_together(self, *proofs: Asked) -> list[bool]:
        """Which are granted of proofs that are judged in one go, in their order."""
        gate, granted = self.store.faults.hold(), [False] * len(proofs)

        async def one(number: int, asked: Asked) -> None:
            with suppress(Refusal):
                await self.prove(**asked)
                granted[number] = True

        async with trio.open_nursery() as nursery:
            nursery.start_soon(suppressed, self)
            await wait_all_tasks_blocked()
            for number, asked in enumerate(proofs):
                nursery.start_soon(one, number, asked)
                await wait_all_tasks_blocked()
            gate.set()
        return granted

    def reasons(self) -> list[str]:
        """Why proofs were refused, as it was told to who watches."""
        return [rejected.reason for rejected in self.rejected]


async def suppressed(desk: Desk) -> None:
    """A question that keeps the keeper busy while others come, whatever becomes of it."""
    with suppress(Refusal):
        await desk.prove("COMPLETE_QUEST", name=b"busy", who=UserId("busy"))


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
