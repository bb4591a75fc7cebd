"""Which ranks facts have moved."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.leaderboard.ranking import Ranking
from actors.leaderboard.touched import END, MERGED_AT, MOST, Ranks, Touched, merged
from actors.ports import UserId
from tests.leaderboard.naive import PLAYERS, fact

CHANGES = st.lists(st.tuples(st.sampled_from(PLAYERS), st.none() | st.integers(0, 6)), max_size=30)


@given(CHANGES, CHANGES)
def test_whoever_stands_at_a_rank_that_was_not_touched_stood_there_before(
    before: list[tuple[UserId, int | None]], after: list[tuple[UserId, int | None]]
) -> None:
    """With the same score and name, whoever came, moved or went in any order."""
    ranking = Ranking(block=2)
    _change(ranking, before, version=0)
    ranking.take_touched()
    old = ranking.rows(0, 100)
    _change(ranking, after, version=100)
    touched = ranking.take_touched()
    assert touched is not None
    new = ranking.rows(0, 100)
    for rank in range(1, max(len(old), len(new)) + 1):
        if not any(each.first <= rank <= each.last for each in touched):
            assert old[rank - 1] == new[rank - 1]


def _change(ranking: Ranking, changes: list[tuple[UserId, int | None]], version: int) -> None:
    for number, (user_id, score) in enumerate(changes, version + 1):
        if score is None:
            ranking.remove(user_id)
        else:
            ranking.apply(fact(user_id, score, number, reached_us=number % 3))


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(1, 50))))
def test_intervals_are_as_few_as_can_be(pairs: list[tuple[int, int]]) -> None:
    """In order, none meets the next, and they hold the same ranks."""
    touched = Touched()
    for one, other in pairs:
        assert touched.add(one, other)
    taken = touched.take()
    held = [rank for each in taken for rank in range(each.first, each.last + 1)]
    assert held == sorted({rank for pair in pairs for rank in range(min(pair), max(pair) + 1)})
    assert all(one.last + 1 < other.first for one, other in pairwise(taken))
    assert touched.take() == ()


def test_who_does_not_ask_costs_only_so_much() -> None:
    """Then all counts as touched, and collecting begins anew with the next question."""
    ranking = Ranking()
    assert ranking.take_touched() is None
    for number in range(3):
        ranking.apply(fact("a", number, number + 1))
    assert ranking.take_touched() == (Ranks(1, END),)
    touched = Touched()
    assert not all(touched.add(3 * number, 3 * number) for number in range(MOST + 2 * MERGED_AT))
    assert len(merged([Ranks(1, 2), Ranks(3, END), Ranks(9, 9)])) == 1


@pytest.mark.parametrize("apart", [True, False])
def test_a_board_that_nobody_asks_about_stops_collecting(monkeypatch: pytest.MonkeyPatch, *, apart: bool) -> None:
    """It knows no better than that all was touched."""
    monkeypatch.setattr("actors.leaderboard.touched.MOST", 10)
    monkeypatch.setattr("actors.leaderboard.touched.MERGED_AT", 20)
    ranking = Ranking()
    for number in range(200):
        ranking.apply(fact(f"p{number:03}", 10_000 - 10 * number, 1))
    ranking.take_touched()
    for number in range(0, 200, 3 if apart else 1):
        ranking.apply(fact(f"p{number:03}", 10_000 - 10 * number, 2))
    assert (ranking.take_touched() is None) is apart
