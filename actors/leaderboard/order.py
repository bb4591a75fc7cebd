"""The places of a board in order, each with its index."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise

from actors.leaderboard.counts import Counts
from actors.leaderboard.merging import merged
from actors.leaderboard.place import TIE, TIE_BITS, Place, slot_of
from actors.ports import UserId

#: How many places a block is made with; it splits at twice as many and joins a neighbour below half.
BLOCK = 512
#: Places that `fill` puts in one step.
FILLED_AT_ONCE = 8192

Standing = tuple[int, UserId]
"""What a place is compared by: its score and time, then the user id."""


class Order:
    """A list of places in blocks, a list of each block's first place, and a Fenwick tree of the blocks' sizes.

    To find a place is two binary searches, to know its index a sum of log n terms, to put or take it a short move of
    memory. A block that splits or joins rebuilds the tree: n / BLOCK steps, after BLOCK / 2 changes at least.

    Searches compare plain integers. Only where a neighbour is tied are ids looked up, in `ids` by slot.
    """

    def __init__(self, ids: Sequence[UserId], block: int = BLOCK, at_once: int = FILLED_AT_ONCE) -> None:
        self._ids, self._at_once = ids, at_once
        self._size, self._least, self._most = block, max(block // 2, 1), 2 * block
        self._blocks: list[list[Place]] = []  # none is empty
        self._firsts: list[Place] = []
        self._counts = Counts()

    def __len__(self) -> int:
        return self._counts.total

    # --- changes ---

    def fill(self, runs: Sequence[list[Place]]) -> Iterator[None]:
        """Put all at once into an empty order; each run rises. Work is done between steps, a few milliseconds each."""
        rest: list[Place] = []
        for places in merged(runs, self._at_once):
            if any(one ^ other < TIE for one, other in pairwise(places)):
                places.sort(key=self.standing)
            rest += places
            whole = len(rest) - len(rest) % self._size
            self._blocks += (rest[start : start + self._size] for start in range(0, whole, self._size))
            del rest[:whole]
            yield
        if rest:
            self._blocks.append(rest)
        self._firsts = [places[0] for places in self._blocks]
        self._recount()

    def add(self, place: Place) -> int:
        """Put a place that is not there; returns its index."""
        if not self._blocks:
            self._blocks, self._firsts, self._counts = [[place]], [place], Counts([1])
            return 0
        block, at = self._gap(place)
        self._counts.add(block, 1)
        index = self._counts.ahead(block) + at
        self._put(block, at, place)
        return index

    def remove(self, place: Place) -> int:
        """Take a place that is there; returns the index that it had."""
        block, at = self._find(place)
        index = self._counts.ahead(block) + at
        self._take(block, at)
        return index

    def move(self, old: Place, new: Place) -> tuple[int, int]:
        """Take one and put another; returns the index of each. Most moves end in the block where they began."""
        block, at = self._find(old)
        before = self._counts.ahead(block) + at
        places, firsts, after = self._blocks[block], self._firsts, block + 1
        if at == 0 or len(places) <= self._least:  # the list of blocks may change
            self._take(block, at)
            return before, self.add(new)
        del places[at]
        if firsts[block] < new and (after == len(firsts) or new < firsts[after]):
            to = bisect_left(places, new)
            if self._fits(block, to, new):
                places.insert(to, new)
                return before, before - at + to
        to, at = self._gap(new)
        self._counts.shift(block, to)
        index = self._counts.ahead(to) + at
        self._put(to, at, new)
        return before, index

    def forget(self, about: int) -> bool:
        """Let some places at the end go, so many or a few more; False when none are left. Nothing may be asked then."""
        del self._blocks[-(about // self._least + 1) :]
        return bool(self._blocks)

    # --- questions ---

    def index(self, place: Place) -> int:
        """How many stand ahead of a place that is there."""
        block, at = self._find(place)
        return self._counts.ahead(block) + at

    def ahead(self, standing: Standing) -> int:
        """How many stand ahead of one who need not be there."""
        if not self._blocks:
            return 0
        block, at = self._search(standing)
        return self._counts.ahead(block) + at

    def slice(self, start: int, stop: int) -> list[Place]:
        """The places from index `start` up to `stop`, as a slice of a list; neither may be negative."""
        if start >= min(stop, self._counts.total):
            return []
        return self._run(*self._counts.locate(start), stop - start)

    def near(self, place: Place, above: int, below: int) -> tuple[int, list[Place]]:
        """The places round one that is there, up to so many on either side, behind the index of the first."""
        block, at = self._find(place)
        index = self._counts.ahead(block) + at
        first = max(index - above, 0)
        where = (block, at - index + first) if at >= index - first else self._counts.locate(first)
        return first, self._run(*where, index + below + 1 - first)

    def _run(self, block: int, at: int, most: int) -> list[Place]:
        """So many places from there on, fewer at the end."""
        found = self._blocks[block][at : at + most]
        while len(found) < most and (block := block + 1) < len(self._blocks):
            found += self._blocks[block][: most - len(found)]
        return found

    # --- searches ---

    def standing(self, place: Place) -> Standing:
        """What decides between this place and others."""
        return place >> TIE_BITS, self._ids[slot_of(place)]

    def _find(self, place: Place) -> tuple[int, int]:
        """Block and index of a place that is there. Ties may lead the first search astray, so it is looked at."""
        block = bisect_right(self._firsts, place) - 1
        if block >= 0:
            places = self._blocks[block]
            at = bisect_left(places, place)
            if at < len(places) and places[at] == place:
                return block, at
        return self._search(self.standing(place))

    def _gap(self, place: Place) -> tuple[int, int]:
        """Block and index where a place belongs."""
        block = (bisect_right(self._firsts, place) or 1) - 1
        at = bisect_left(self._blocks[block], place)
        return (block, at) if self._fits(block, at, place) else self._search(self.standing(place))

    def _search(self, standing: Standing) -> tuple[int, int]:
        """The same in the true order, several times dearer."""
        block = max(bisect_right(self._firsts, standing, key=self.standing) - 1, 0)
        return block, bisect_left(self._blocks[block], standing, key=self.standing)

    def _fits(self, block: int, at: int, place: Place) -> bool:
        """Whether a gap that was found with integers is right, which only ties can prevent.

        Tied places stand together, if in another order than that of their integers; so a search for one more of them
        ends within the group or at its edge, and a neighbour shows it. Between two neighbours in order it is right.
        """
        places = self._blocks[block]
        if 0 < at < len(places) and places[at - 1] ^ place >= TIE and places[at] ^ place >= TIE:
            return True
        before = places[at - 1] if at else self._blocks[block - 1][-1] if block else None
        after = places[at] if at < len(places) else next(iter(self._firsts[block + 1 : block + 2]), None)
        if before is not None and before ^ place < TIE and self.standing(place) < self.standing(before):
            return False
        return after is None or after ^ place >= TIE or self.standing(place) < self.standing(after)

    # --- blocks ---

    def _put(self, block: int, at: int, place: Place) -> None:
        """Put a place that has been counted."""
        places = self._blocks[block]
        places.insert(at, place)
        if at == 0:
            self._firsts[block] = place
        if len(places) > self._most:
            self._cut(block, self._size)
            self._recount()

    def _take(self, block: int, at: int) -> None:
        places = self._blocks[block]
        del places[at]
        self._counts.add(block, -1)
        if len(places) < self._least:
            self._join(block)
        elif at == 0:
            self._firsts[block] = places[0]

    def _cut(self, block: int, at: int) -> None:
        """Make two blocks of one."""
        places = self._blocks[block]
        behind = places[at:]
        del places[at:]
        self._blocks.insert(block + 1, behind)
        self._firsts.insert(block + 1, behind[0])

    def _join(self, block: int) -> None:
        """Make one block of a small one and a neighbour, or two even ones if that is too long."""
        if len(self._blocks) > 1:
            block = max(block - 1, 0)
            self._blocks[block] += self._blocks.pop(block + 1)
            del self._firsts[block + 1]
        places = self._blocks[block]
        if len(places) > self._most:
            self._cut(block, len(places) // 2)
        if places:
            self._firsts[block] = places[0]
        else:
            del self._blocks[block], self._firsts[block]
        self._recount()

    def _recount(self) -> None:
        self._counts.rebuild(list(map(len, self._blocks)))
