"""Keeps the catalogue of actions, and judges for all players together whether what they did was done, and is new."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import trio

from actors.actions.docket import Docket
from actors.actions.messages import ActionNotFound, Catalogue, CatalogueUnavailable, ProofRejected, Prove
from actors.actions.proof import Verifier, judge, signed_text
from actors.ports import ActionCatalogue, ActionKind, Evidence, EvidenceStore, StoreError, StoreUnavailable, WallClock
from actors.runtime import BatchActor, Refusal, Request

AWAY = "Actions cannot be looked up just now. Nothing was done; try again in a moment."


@dataclass(frozen=True, slots=True)
class ActionsWorld:
    """What it needs from outside. `verifiers` stand by the name that the catalogue has for them.

    `rejected` hears of each proof that is refused, and is quick.
    """

    catalogue: ActionCatalogue
    evidence: EvidenceStore
    clock: WallClock
    verifiers: Mapping[str, Verifier]
    rejected: Callable[[ProofRejected], None] = lambda _: None
    refresh_s: float = 60.0
    store_within_s: float = 10.0


class ActionsActor(BatchActor):
    """All that waits is judged at once, and what was proven is settled with the store in one transaction.

    What it answers is kept as evidence already.
    """

    max_batch = 1000

    def __init__(self, world: ActionsWorld) -> None:
        self._world = world
        self._kinds: dict[str, ActionKind] | None = None

    def __repr__(self) -> str:
        return f"<ActionsActor, {'no' if self._kinds is None else len(self._kinds)} actions>"

    async def started(self) -> None:
        """Read the catalogue. A store that is away is asked again when somebody wants to know."""
        await self._read()

    async def woken(self) -> None:
        """Read it again, now and then; what is known stays good while the store is away."""
        await self._read()

    async def receive_batch(self, requests: Sequence[Request]) -> None:
        """Answer all."""
        if self._kinds is None:
            await self._read()
        docket = Docket()
        for request in requests:
            try:
                self._hear(request, docket)
            except Refusal as refusal:
                self._refuse(request, refusal)
        if not docket.proofs:
            return
        try:
            await self._settle(docket)
        except StoreError as error:
            for request in docket.requests:
                self._away(request, error)
            return
        for request, kind, verdict in docket.verdicts():
            if verdict is None:
                request.answer(request.message.then(kind))
            else:
                self._refuse(request, verdict)

    def _hear(self, request: Request, docket: Docket) -> None:
        """Answer a question for the catalogue, and take a proof that holds for settling; raises Refusal."""
        message = request.message
        if isinstance(message, Catalogue):
            request.answer(tuple(kind for kind in self._known().values() if not kind.honeypot))
        elif isinstance(message, Prove):
            docket.enter(request, *self._judged(message))
        else:
            raise TypeError(f"the keeper of actions does not understand {message!r}")

    def _judged(self, asked: Prove[object]) -> tuple[ActionKind, Evidence]:
        world, kind, proof = self._world, self._known().get(asked.action_type), asked.proof
        if kind is None or kind.honeypot:
            raise ActionNotFound(f"There is no action {asked.action_type[:60]!a}.")
        text = signed_text(asked.action_type, asked.action_id, asked.user_id, proof.timestamp)
        key_id = judge(world.verifiers, kind, text, proof, now_us=world.clock.now_us())
        if isinstance(key_id, Refusal):
            raise key_id
        evidence = Evidence(
            asked.name,
            asked.user_id,
            kind.action_type,
            asked.action_id,
            kind.points,
            kind.verifier,
            kind.key,
            key_id,
            proof.timestamp,
            proof.signature,
            proof.moment_us,
            asked.source,
        )
        return kind, evidence

    def _refuse(self, request: Request, refusal: Refusal) -> None:
        asked = request.message
        if isinstance(asked, Prove) and not isinstance(refusal, CatalogueUnavailable):
            kind = self._known().get(asked.action_type)
            reason = "honeypot" if kind is not None and kind.honeypot else _reason(refusal)
            now_us = self._world.clock.now_us()
            self._world.rejected(
                ProofRejected(asked.user_id, asked.action_type, asked.action_id, reason, asked.source, now_us)
            )
        request.fail(refusal)

    def _known(self) -> dict[str, ActionKind]:
        if self._kinds is None:
            raise CatalogueUnavailable(AWAY)
        return self._kinds

    def _away(self, request: Request, error: StoreError) -> None:
        away = CatalogueUnavailable(AWAY)
        away.__cause__ = error
        request.fail(away)

    async def _settle(self, docket: Docket) -> None:
        with trio.move_on_after(self._world.store_within_s):
            await self._world.evidence.settle(docket.proofs, docket.since_us, docket.grant)
            return
        raise StoreUnavailable("the store did not answer in time")

    async def _read(self) -> None:
        self.wake_at = trio.current_time() + self._world.refresh_s
        with trio.move_on_after(self._world.store_within_s):
            try:
                self._kinds = {kind.action_type: kind for kind in await self._world.catalogue.kinds()}
            except StoreError:
                return


def _reason(refusal: Refusal) -> str:
    if isinstance(refusal, ActionNotFound):
        return "unknown"
    details: Mapping[str, str] = getattr(refusal, "details", None) or {"reason": "completed"}
    return details["reason"]
