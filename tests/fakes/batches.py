"""What other workers committed, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from actors.ports import Batch, ChainId, ScoreFact, Sight, Stretch, UserId
from tests.fakes.faults import Faults
from tests.fakes.scores import FakeScoreStore


class FakeBatches:
    """`BatchStore` over the fake ledger, as the worker with that chain has it; `faults` are its switches."""

    def __init__(self, scores: FakeScoreStore, chain: ChainId) -> None:
        self.scores = scores
        self.chain = chain
        self.faults = Faults()
        self.changes_kept_us = 86_400_000_000
        self.reads = 0

    async def look(self, known: Mapping[ChainId, int], position: str | None) -> Sight:
        """See `BatchStore.look`."""
        return await self.faults.around(lambda: self._look(known, position))

    def _look(self, known: Mapping[ChainId, int], position: str | None) -> Sight:
        players = self.scores.players
        newest = {
            chain: len(batches)
            for chain, batches in self.scores.chains.items()
            if chain != self.chain and len(batches) > known.get(chain, 0)
        }
        seen = len(players.changes)
        changed = players.changes[seen if position is None else int(position) :]
        return Sight(players.clock.now_us(), newest, frozenset(changed), str(seen), str(players.timeline))

    async def read(self, wanted: Mapping[ChainId, Stretch], limit: int) -> list[Batch]:
        """See `BatchStore.read`."""
        return await self.faults.around(lambda: self._read(wanted, limit))

    def _read(self, wanted: Mapping[ChainId, Stretch], limit: int) -> list[Batch]:
        self.reads += 1
        return [
            Batch(chain, number, tuple(map(self.scores.told_now, facts)))
            for chain, (after, upto) in wanted.items()
            for number, facts in list(enumerate(self.scores.chains.get(chain, ()), 1))[after:upto][:limit]
        ]

    async def totals(self, user_ids: Sequence[UserId]) -> list[ScoreFact]:
        """See `BatchStore.totals`."""
        rows = self.scores.players.rows
        return await self.faults.around(lambda: [rows[key].fact() for key in user_ids if key in rows])
