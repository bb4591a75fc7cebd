"""The proofs that are judged together, in their order. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from actors.actions import pace
from actors.actions.messages import ActionCompleted
from actors.ports import ActionKind, Earlier, Evidence, UserId
from actors.runtime import Refusal, Request

#: When the same player did what is of the same type.
_Moments = list[int]


class Docket:
    """Proofs that hold, and what becomes of each when it is known what was earlier."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.proofs: list[Evidence] = []
        self.since_us: list[int | None] = []
        self._kinds: list[ActionKind] = []
        self._refusals: list[Refusal | None] = []

    def __repr__(self) -> str:
        return f"<Docket, {len(self.proofs)} proofs>"

    def enter(self, request: Request, kind: ActionKind, proof: Evidence) -> None:
        """One more."""
        self.requests.append(request)
        self.proofs.append(proof)
        self.since_us.append(pace.since_us(kind, proof.moment_us))
        self._kinds.append(kind)

    def grant(self, earlier: Sequence[Earlier]) -> list[bool]:
        """Which count, given what the store says of each; those of this docket count as earlier for one another."""
        granted: dict[tuple[UserId, str], _Moments] = {}
        types: dict[tuple[UserId, bytes], str] = {}
        self._refusals = []
        for kind, proof, known in zip(self._kinds, self.proofs, earlier, strict=True):
            done = granted.setdefault((proof.user_id, proof.action_type), [])
            before = known.kept_as or types.get((proof.user_id, proof.name))
            refusal = _judge(kind, proof, known, before, done)
            if refusal is None and before is None:
                done.append(proof.moment_us)
                types[proof.user_id, proof.name] = proof.action_type
            self._refusals.append(refusal)
        return [refusal is None for refusal in self._refusals]

    def verdicts(self) -> Iterator[tuple[Request, ActionKind, Refusal | None]]:
        """What each hears, once `grant` was asked."""
        yield from zip(self.requests, self._kinds, self._refusals, strict=True)


def _judge(kind: ActionKind, proof: Evidence, known: Earlier, before: str | None, done: _Moments) -> Refusal | None:
    """`before`: the type of which an action of that id was granted to the player."""
    if known.counted:
        return ActionCompleted("This action was completed before, and has counted.")
    if before is None:
        return pace.judge(kind, proof.moment_us, [*known.moments_us, *done])
    if before == proof.action_type:
        return None
    return ActionCompleted(f"An action of this id was proven before, as {before}: it counts as nothing else.")
