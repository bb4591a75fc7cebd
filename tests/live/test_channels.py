"""The names of channels."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.leaderboard.events import Channel
from actors.leaderboard.scope import board_of
from actors.ports import BoardId, BoardScope, Period
from scoreboard.live.channels import LARGEST, WIDEST, channel_name, channel_of, with_radius
from scoreboard.wire.countries import COUNTRIES


@pytest.mark.parametrize(
    ("name", "channel"),
    [
        ("leaderboard.top10", Channel(BoardId("all_time"), 10)),
        ("leaderboard.daily.top1", Channel(BoardId("daily"), 1)),
        ("leaderboard.US.top100", Channel(BoardId("all_time:US"), 100)),
        ("leaderboard.weekly.US.top10", Channel(BoardId("weekly:US"), 10)),
        ("leaderboard.around_me", Channel(BoardId("all_time"), 5, around=True)),
        ("leaderboard.weekly.US.around_me", Channel(BoardId("weekly:US"), 5, around=True)),
        ("player.me", Channel(BoardId("all_time"), 0, around=True)),
        ("leaderboard.monthly.DE.top25", Channel(BoardId("monthly:DE"), 25)),
    ],
)
def test_a_name_says_period_country_and_size(name: str, channel: Channel) -> None:
    """What is left out is all of it."""
    assert channel == channel_of(name)


def test_surroundings_have_one_name_whatever_their_radius() -> None:
    """It stands beside the name; nothing else has one."""
    around, top, me = (channel_of(name) for name in ("leaderboard.around_me", "leaderboard.top10", "player.me"))
    assert around is not None and top is not None and me is not None  # noqa: PT018
    wide = with_radius(around, WIDEST)
    assert wide is not None
    assert (wide.size, channel_name(wide)) == (25, "leaderboard.around_me")
    assert [with_radius(*each) for each in ((around, 0), (around, WIDEST + 1), (top, 5), (me, 5))] == [None] * 4
    assert channel_name(me) == "player.me"


@given(st.sampled_from(Period), st.none() | st.sampled_from(sorted(COUNTRIES)), st.integers(1, LARGEST))
def test_a_channel_comes_back_from_its_name(period: Period, country: str | None, size: int) -> None:
    """A client hears of it by the name with which it asked."""
    channel = Channel(board_of(BoardScope(period, country)), size)
    assert channel == channel_of(channel_name(channel))
