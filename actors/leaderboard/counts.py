"""How many stand in each block, and how many ahead of it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate


class Counts:
    """A Fenwick tree over the sizes of blocks: one size changes, or a prefix is summed, in logarithmic time."""

    __slots__ = ("_top", "_tree", "total")

    def __init__(self, sizes: Sequence[int] = ()) -> None:
        self.rebuild(sizes)

    def rebuild(self, sizes: Sequence[int]) -> None:
        """Begin anew with these sizes; linear in their number."""
        sums = list(accumulate(sizes, initial=0))
        self._tree = [0] + [sums[node] - sums[node & node - 1] for node in range(1, len(sums))]
        self._top = 1 << len(sizes).bit_length() >> 1
        self.total = sums[-1]

    def add(self, block: int, delta: int) -> None:
        """This block grows by `delta`."""
        tree, node, end = self._tree, block + 1, len(self._tree)
        while node < end:
            tree[node] += delta
            node += node & -node
        self.total += delta

    def shift(self, source: int, target: int) -> None:
        """One goes from a block to another. The nearer they are, the earlier the ways up meet."""
        tree, end = self._tree, len(self._tree)
        less, more = source + 1, target + 1
        while less != more:
            if less < more:
                tree[less] -= 1
                less += less & -less
                less = min(less, end)
            else:
                tree[more] += 1
                more += more & -more
                more = min(more, end)

    def ahead(self, block: int) -> int:
        """The sum of the sizes of all blocks before this one."""
        tree, found = self._tree, 0
        while block:
            found += tree[block]
            block &= block - 1
        return found

    def locate(self, index: int) -> tuple[int, int]:
        """The block that holds the index-th of all, and its index there; `index` must be less than the total."""
        tree, node, step = self._tree, 0, self._top
        while step:
            onward = node + step
            if onward < len(tree) and tree[onward] <= index:
                node, index = onward, index - tree[onward]
            step >>= 1
        return node, index
