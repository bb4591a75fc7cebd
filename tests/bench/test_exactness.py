"""`scripts/bench exactness` finds what it looks for: here it is given what must never be."""

from __future__ import annotations

import pytest

from tests.bench.audit import Inexact, require_rows, total_of
from tests.bench.book import Book, Told
from tests.bench.kept import Wrong

PLAYERS = 5
FIRST = Told("a", 7, 4, 3)


def book_with(told: Told = FIRST, *, ranks_again: bool = True) -> Book:
    """One action of one player, acknowledged."""
    book = Book(PLAYERS, ranks_again=ranks_again)
    book.write("action", told, repeated=False, first=True)
    return book


def test_true_acknowledgements_are_taken() -> None:
    """Ranks may be unknown, the best and the worst; what is told again is the same, with ranks or without."""
    book = book_with()
    book.sent_again()
    book.write("action", FIRST, repeated=True, first=False)
    book.write("best", Told("b", 1, 1, 1), repeated=False, first=True)
    book.write("worst", Told("c", 1, PLAYERS, PLAYERS), repeated=False, first=True)
    book.write("away", Told("a", 8, None, None), repeated=False, first=True)
    scores = {"a": [7, 8], "b": [1], "c": [1]}
    assert {"scores": scores, "resent": 1, "known": 1, "ranked": 3} == book.summary()
    book_with(ranks_again=False).write("action", Told("a", 7, None, None), repeated=True, first=False)


@pytest.mark.parametrize(
    ("told", "repeated"),
    [
        (FIRST._replace(score=8), True),
        (FIRST._replace(score=6), True),
        (FIRST._replace(user_id="b"), True),
        (FIRST._replace(score=8), False),
        (Told(*FIRST), False),
    ],
    ids=["another total", "a smaller one", "another player", "counted again", "said to count anew"],
)
@pytest.mark.parametrize("ranks_again", [True, False])
def test_an_action_that_counts_twice_is_found(told: Told, *, repeated: bool, ranks_again: bool) -> None:
    """By the second acknowledgement of it."""
    with pytest.raises(Wrong, match="was told"):
        book_with(ranks_again=ranks_again).write("action", told, repeated=repeated, first=False)


def test_an_action_that_is_known_although_it_was_sent_once_is_found() -> None:
    """Somebody else's point would be lost."""
    with pytest.raises(Wrong, match="sent once"):
        Book(PLAYERS, ranks_again=True).write("action", FIRST, repeated=True, first=True)


@pytest.mark.parametrize("ranks", [(3, 4), (2, 0), (PLAYERS + 1, 1), (None, 3), (3, None)])
def test_a_wrong_rank_is_found(ranks: tuple[int | None, int | None]) -> None:
    """Nobody falls by a point, leads the leader, stands behind the last, or has half an answer."""
    with pytest.raises(Wrong, match="cannot be"):
        book_with(Told("a", 7, *ranks))


@pytest.mark.parametrize("ranks", [(4, 2), (5, 3), (None, None)])
def test_other_ranks_of_the_same_point_are_found(ranks: tuple[int | None, int | None]) -> None:
    """Where a retry hears those of the first time."""
    with pytest.raises(Wrong, match="ranks of action"):
        book_with().write("action", Told("a", 7, *ranks), repeated=True, first=False)


GOOD = {"rest": {"a": [1, 3]}, "socket": {"a": [2], "b": [2, 1]}, "batches": {}}


def test_all_totals_of_all_ways_together_are_a_score() -> None:
    """In whichever order they were told."""
    assert [3, 2, 0] == [total_of(user_id, GOOD) for user_id in "abc"]
    require_rows(GOOD, {"rest": {"a": [3, 1]}, "socket": {"a": [2], "b": [1, 2]}})


@pytest.mark.parametrize(
    "of_a",
    [
        {"rest": {"a": [1, 3]}},
        {"rest": {"a": [1, 2]}, "socket": {"a": [2]}},
        {"rest": {"a": [0, 1]}},
        {"rest": {"a": [2]}},
    ],
)
def test_a_point_that_is_missing_or_counted_twice_makes_no_score(of_a: dict[str, dict[str, list[int]]]) -> None:
    """Also when it is told in two ways, or the first is missing."""
    with pytest.raises(Inexact, match="acknowledged to a"):
        total_of("a", of_a)


@pytest.mark.parametrize(
    ("rows", "way"),
    [
        (GOOD | {"rest": {"a": [1]}}, "rest"),
        (GOOD | {"rest": {"a": [1, 3, 3]}}, "rest"),
        (GOOD | {"rest": {"a": [1, 3, 4]}}, "rest"),
        (GOOD | {"socket": {"a": [2]}}, "socket"),
        (GOOD | {"batches": {"c": [1]}}, "batches"),
        (GOOD | {"another": {"c": [1]}}, "another"),
    ],
    ids=[
        "lost",
        "doubled",
        "never acknowledged",
        "all of a player lost",
        "of nobody",
        "in a way of which nobody knows",
    ],
)
def test_rows_that_are_not_what_was_acknowledged_are_found(rows: dict[str, dict[str, list[int]]], way: str) -> None:
    """A lost point, a doubled one, one that nobody was told of; and it is said in which way."""
    with pytest.raises(Inexact, match=f"rows of {way}"):
        require_rows(GOOD, rows)
