from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from actors.leaderboard.merging import merged
from actors.leaderboard.order import Order
from actors.leaderboard.place import TIE, TIE_BITS, VERSION_BITS, Place, place_of, slot_of
from actors.ports import UserId

SLOTS = 40
#: Few scores and times, so that ties are long and lie across blocks; ids in another order than slots.
IDS = [UserId(f"{number * 17 % SLOTS:02}") for number in range(SLOTS)]

places = st.builds(place_of, st.integers(0, 2), st.integers(0, 1), st.integers(0, SLOTS - 1), st.integers(0, 2))


class OrderMachine(RuleBasedStateMachine):
    """An order beside a plain sorted list. Each slot stands in it once at most, as players do."""

    @initialize(block=st.integers(1, 6), at_once=st.integers(1, 9), first=st.lists(places, unique_by=slot_of))
    def begin(self, block: int, at_once: int, first: list[Place]) -> None:
        self.order = Order(IDS, block, at_once)
        for _ in self.order.fill([sorted(first[::2]), sorted(first[1::2])]):
            pass
        self.plain = first
        self.sort()

    def sort(self) -> None:
        self.plain.sort(key=self.order.standing)

    def free(self, place: Place) -> bool:
        return slot_of(place) not in map(slot_of, self.plain)

    @rule(place=places)
    def add(self, place: Place) -> None:
        if self.free(place):
            self.plain.append(place)
            self.sort()
            assert self.plain.index(place) == self.order.add(place)

    @precondition(lambda self: self.plain)
    @rule(data=st.data(), to=places)
    def move(self, data: st.DataObject, to: Place) -> None:
        old = data.draw(st.sampled_from(self.plain))
        new = to + (slot_of(old) - slot_of(to) << VERSION_BITS)
        before = self.plain.index(old)
        self.plain[before] = new
        self.sort()
        assert (before, self.plain.index(new)) == self.order.move(old, new)

    @precondition(lambda self: self.plain)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        place = data.draw(st.sampled_from(self.plain))
        assert self.plain.index(place) == self.order.remove(place)
        self.plain.remove(place)

    @rule(place=places)
    def ahead(self, place: Place) -> None:
        standing = self.order.standing(place)
        assert sum(self.order.standing(each) < standing for each in self.plain) == self.order.ahead(standing)

    @rule(start=st.integers(0, SLOTS + 2), stop=st.integers(0, SLOTS + 2))
    def slice(self, start: int, stop: int) -> None:
        assert self.plain[start:stop] == self.order.slice(start, stop)

    @invariant()
    def every_index_is_right(self) -> None:
        if hasattr(self, "order"):
            assert len(self.plain) == len(self.order)
            assert list(range(len(self.plain))) == [self.order.index(place) for place in self.plain]


TestOrder = OrderMachine.TestCase


@given(st.integers(1, 200), st.integers(1, 5))
def test_one_after_the_other_at_either_end_and_away_again(count: int, block: int) -> None:
    """The lists of blocks grow and shrink at their ends too."""
    ids = [UserId(f"{slot:03}") for slot in range(count)]
    order = Order(ids, block)
    rising = [place_of(slot, 0, slot, 0) for slot in range(count)]  # each new one stands first
    assert [0] * count == [order.add(place) for place in rising]
    assert rising[::-1] == order.slice(0, count)
    assert [0] * count == [order.remove(place) for place in rising[::-1]]
    assert [] == order.slice(0, count)
    assert list(range(count)) == [order.add(place) for place in rising[::-1]]


@given(st.lists(st.lists(places, max_size=20), max_size=5), st.integers(1, 30))
def test_runs_are_merged_in_lists_of_bounded_length_that_never_part_the_tied(
    runs: list[list[Place]], about: int
) -> None:
    """All of them, in order; a list of more than twice `about` has as many tied in it."""
    for run in runs:
        run.sort()
    lists = list(merged(runs, about))
    assert sorted(place for run in runs for place in run) == [place for found in lists for place in found]
    for found, following in pairwise(lists):
        assert found[-1] ^ following[0] >= TIE
    assert all(lists)
    for found in lists:
        most = max(Counter(place >> TIE_BITS for place in found).values())
        assert len(found) <= 2 * max(about, len(runs)) + most
