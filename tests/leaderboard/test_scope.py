from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.leaderboard.scope import board_of, scope_of
from actors.ports import ALL_TIME, BoardId, BoardScope, Period

SCOPES = st.builds(
    BoardScope, st.sampled_from(Period), st.none() | st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=2, max_size=2)
)


@given(SCOPES)
def test_a_scope_comes_back_from_the_name_of_its_board(scope: BoardScope) -> None:
    """The name says all of it."""
    assert scope_of(board_of(scope)) == scope


def test_the_names_are_those_of_the_sorted_sets() -> None:
    """As Redis has them behind ``leaderboard:``."""
    named = [board_of(BoardScope(period, country)) for period in Period for country in (None, "US")]
    assert named == [
        *("all_time", "all_time:US", "daily", "daily:US"),
        *("weekly", "weekly:US", "monthly", "monthly:US"),
    ]
    assert board_of(BoardScope(Period.ALL_TIME)) == ALL_TIME


@pytest.mark.parametrize(
    "name", ["", "yearly", "ALL_TIME", "all_time:", "weekly:us", "weekly:USA", "weekly:ÄÖ", "weekly:US:DE", ":US"]
)
def test_no_other_text_names_a_board(name: str) -> None:
    """Whoever takes one from outside hears so."""
    with pytest.raises(ValueError, match="there is no board"):
        scope_of(BoardId(name))
