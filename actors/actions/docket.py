"""The proofs that are judged together, in their order. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from actors.actions import pace
from actors.actions.messages import ActionCompleted
from actors.ports import ActionKind, Earlier, Evidence, UserId
from actors.runtime import Refusal, Request

#: What the same player did of the same type, with its name.
_Done = list[tuple[bytes, int]]


class Docket:
    """Proofs that hold, and what becomes of each when it is known what was earlier."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.proofs: list[Evidence] = []
        self.since_us: list[int | None] = []
        self._kinds: list[ActionKind] = []
        self._refusals: Sequence[Refusal | None] = ()

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
        granted: dict[tuple[UserId, str], _Done] = {}
        self._refusals = [
            self._judge(kind, proof, known, granted.setdefault((proof.user_id, proof.action_type), []))
            for kind, proof, known in zip(self._kinds, self.proofs, earlier, strict=True)
        ]
        return [refusal is None for refusal in self._refusals]

    def _judge(self, kind: ActionKind, proof: Evidence, known: Earlier, done: _Done) -> Refusal | None:
        if known.counted:
            return ActionCompleted("This action was completed before, and has counted.")
        if known.kept or proof.name in (name for name, _ in done):
            return None
        refusal = pace.judge(kind, proof.moment_us, [*known.moments_us, *(moment_us for _, moment_us in done)])
        if refusal is None:
            done.append((proof.name, proof.moment_us))
        return refusal

    def verdicts(self) -> Iterator[tuple[Request, ActionKind, Refusal | None]]:
        """What each hears, once `grant` was asked."""
        yield from zip(self.requests, self._kinds, self._refusals, strict=True)
