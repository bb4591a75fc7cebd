from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from actors.leaderboard.counts import Counts
from actors.leaderboard.names import Names

sizes = st.lists(st.integers(1, 9), min_size=1, max_size=40)


@given(sizes, st.lists(st.tuples(st.integers(0, 39), st.integers(0, 5))))
def test_sums_of_blocks_are_those_of_a_plain_list(plain: list[int], changes: list[tuple[int, int]]) -> None:
    """Whatever grew meanwhile; and each index is found where a walk finds it."""
    counts = Counts(plain)
    for block, delta in changes:
        if block < len(plain):
            plain[block] += delta
            counts.add(block, delta)
            target = delta % len(plain)
            if plain[block] > 1:  # no block is ever empty
                plain[block] -= 1
                plain[target] += 1
                counts.shift(block, target)
    assert [sum(plain[:block]) for block in range(len(plain) + 1)] == [
        counts.ahead(block) for block in range(len(plain) + 1)
    ]
    walk = [(block, index) for block, size in enumerate(plain) for index in range(size)]
    assert walk == [counts.locate(index) for index in range(sum(plain))]
    assert len(walk) == counts.total


@given(
    st.lists(st.text(max_size=30)) | st.lists(st.text("abc")),
    st.lists(st.tuples(st.integers(0, 30), st.text(max_size=30))),
)
def test_names_come_back_as_they_went_in(first: list[str], changes: list[tuple[int, str]]) -> None:
    """A list of texts, whatever is replaced."""
    names = Names()
    for name in first[:1]:
        names.append(name)
    names.extend(first[1:3])
    names.extend(first[3:])
    for index, name in changes:
        if index < len(first):
            first[index] = names[index] = name
    assert first == [names[index] for index in range(len(names))]


def test_names_that_change_for_ever_do_not_grow_for_ever() -> None:
    """What was replaced goes when it is as much as what stands."""
    names = Names()
    for _ in range(3):
        names.append("")
    for turn in range(2_000):
        names[turn % 2] = f"{turn:0200}"
    assert [f"{1998:0200}", f"{1999:0200}", ""] == [names[index] for index in range(3)]
    assert len(names._buffer) < 100_000
