"""Keeps the catalogue of actions, and judges for all players together whether what they did was done, and is new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import trio

from actors.actions.messages import ActionCompleted, ActionNotFound, Catalogue, CatalogueUnavailable, Prove
from actors.actions.proof import Verifier, judge, signed_text
from actors.ports import ActionCatalogue, ActionKind, StoreError, StoreUnavailable, WallClock
from actors.runtime import BatchActor, Refusal, Request

AWAY = "Actions cannot be looked up just now. Nothing was done; try again in a moment."


@dataclass(frozen=True, slots=True)
class ActionsWorld:
    """What it needs from outside. `verifiers` stand by the name that the catalogue has for them."""

    catalogue: ActionCatalogue
    clock: WallClock
    verifiers: Mapping[str, Verifier]
    refresh_s: float = 60.0
    store_within_s: float = 10.0


class ActionsActor(BatchActor):
    """All that waits is judged at once, and what was proven is looked up in one question to the store."""

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
        proven = [request for request in requests if self._holds(request)]
        if not proven:
            return
        try:
            spent = await self._spent([request.message.name for request in proven])
        except StoreError as error:
            for request in proven:
                self._away(request, error)
            return
        for request in proven:
            self._conclude(request, spent)

    def _holds(self, request: Request) -> bool:
        """Whether it is a proof that holds; all else is answered."""
        try:
            match request.message:
                case Catalogue():
                    request.answer(tuple(self._known().values()))
                    return False
                case Prove():
                    self._judge(request.message)
                    return True
        except Refusal as refusal:
            request.fail(refusal)
            return False
        raise TypeError(f"the keeper of actions does not understand {request.message!r}")

    def _judge(self, asked: Prove[object]) -> None:
        world, kind = self._world, self._known().get(asked.action_type)
        if kind is None:
            raise ActionNotFound(f"There is no action {asked.action_type[:60]!a}.")
        text = signed_text(asked.action_type, asked.action_id, asked.user_id, asked.proof.timestamp)
        refusal = judge(world.verifiers, kind.verifier, text, asked.proof, now_us=world.clock.now_us())
        if refusal is not None:
            raise refusal

    def _conclude(self, request: Request, spent: set[bytes]) -> None:
        asked: Prove[object] = request.message
        if asked.name in spent:
            request.fail(ActionCompleted("This action was completed before, and has counted."))
        else:
            request.answer(asked.then(self._known()[asked.action_type]))

    def _known(self) -> dict[str, ActionKind]:
        if self._kinds is None:
            raise CatalogueUnavailable(AWAY)
        return self._kinds

    def _away(self, request: Request, error: StoreError) -> None:
        away = CatalogueUnavailable(AWAY)
        away.__cause__ = error
        request.fail(away)

    async def _spent(self, names: Sequence[bytes]) -> set[bytes]:
        with trio.move_on_after(self._world.store_within_s):
            return await self._world.catalogue.spent(names)
        raise StoreUnavailable("the store did not answer in time")

    async def _read(self) -> None:
        self.wake_at = trio.current_time() + self._world.refresh_s
        with trio.move_on_after(self._world.store_within_s):
            try:
                self._kinds = {kind.action_type: kind for kind in await self._world.catalogue.kinds()}
            except StoreError:
                return
