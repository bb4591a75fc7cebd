"""The proofs of actions in memory."""

from __future__ import annotations

from collections.abc import Sequence

from actors.ports import MOST_EARLIER, Earlier, Evidence, Grant, UserId
from tests.fakes.scores import FakeScoreStore


class FakeEvidenceStore:
    """`EvidenceStore` beside a ledger in memory, with the same faults. `kept` holds each proof that was granted."""

    def __init__(self, scores: FakeScoreStore) -> None:
        self.kept: dict[tuple[bytes, UserId], Evidence] = {}
        self.faults = scores.faults
        self._scores = scores

    async def settle(self, proofs: Sequence[Evidence], since_us: Sequence[int | None], grant: Grant) -> None:
        """See `EvidenceStore.settle`."""
        await self.faults.around(lambda: self._settle(proofs, since_us, grant))

    def _settle(self, proofs: Sequence[Evidence], since_us: Sequence[int | None], grant: Grant) -> None:
        earlier = [self._earlier(proof, since) for proof, since in zip(proofs, since_us, strict=True)]
        for proof, good in zip(proofs, grant(earlier), strict=True):
            if good:
                self.kept.setdefault((proof.name, proof.user_id), proof)

    def _earlier(self, proof: Evidence, since_us: int | None) -> Earlier:
        others = [
            other.moment_us
            for other in self.kept.values()
            if (other.user_id, other.action_type) == (proof.user_id, proof.action_type)
            and other.name != proof.name
            and since_us is not None
            and other.moment_us > since_us
        ]
        latest = tuple(sorted(others, reverse=True)[:MOST_EARLIER])
        before = self.kept.get((proof.name, proof.user_id))
        counted = proof.name in self._scores.spent_names()
        return Earlier(counted, None if before is None else before.action_type, latest)
