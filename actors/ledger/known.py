"""Which batches of other workers have been heard of. Synchronous."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from actors.ports import ChainId, Stretch

#: So many batches behind a gap are remembered of one chain; of more than that some are read once more than needed.
MOST_AHEAD = 1_000


class KnownBatches:
    """How far each chain is known without a gap, and what is known behind gaps. A chain begins with number 1."""

    def __init__(self, upto: Mapping[ChainId, int]) -> None:
        self._upto = dict(upto)
        self._ahead: dict[ChainId, set[int]] = {}

    def __repr__(self) -> str:
        return f"<KnownBatches of {len(self._upto)} chains, gaps in {len(self._ahead)}>"

    @property
    def upto(self) -> Mapping[ChainId, int]:
        """The number of each chain up to which nothing is missing."""
        return self._upto

    def take(self, chain: ChainId, numbers: Iterable[int]) -> bool:
        """These have been heard of; True if there is a gap before any of the chain's."""
        self._join(chain, self._upto.get(chain, 0), self._ahead.get(chain, set()).union(numbers))
        return chain in self._ahead

    def pass_by(self, newest: Mapping[ChainId, int]) -> None:
        """Whatever is missing up to there is made up for in another way."""
        for chain, number in newest.items():
            self._join(chain, max(number, self._upto.get(chain, 0)), self._ahead.get(chain, set()))

    def has_gap(self, chain: ChainId) -> bool:
        """Whether something is known behind what is missing."""
        return chain in self._ahead

    def lacks(self, chain: ChainId, number: int) -> bool:
        """Whether anything up to there is missing."""
        return self._upto.get(chain, 0) < number

    def missing(self, newest: Mapping[ChainId, int]) -> dict[ChainId, Stretch]:
        """What to read so that nothing is missing up to there."""
        return {
            chain: Stretch(self._upto.get(chain, 0), number)
            for chain, number in newest.items()
            if self.lacks(chain, number)
        }

    def _join(self, chain: ChainId, upto: int, heard: set[int]) -> None:
        while upto + 1 in heard:
            upto += 1
        self._upto[chain] = upto
        ahead = sorted(number for number in heard if number > upto)
        if ahead:
            self._ahead[chain] = set(ahead[:MOST_AHEAD])
        else:
            self._ahead.pop(chain, None)
