"""The names of channels."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.leaderboard.events import Channel
from actors.leaderboard.scope import board_of
from actors.ports import BoardId, BoardScope, Period
from scoreboard.live.channels import LARGEST, channel_name, channel_of
from scoreboard.wire.countries import COUNTRIES


@pytest.mark.parametrize(
    ("name", "channel"),
    [
        ("leaderboard.top10", Channel(BoardId("all_time"), 10)),
        ("leaderboard.daily.top1", Channel(BoardId("daily"), 1)),
        ("leaderboard.US.top100", Channel(BoardId("all_time:US"), 100)),
        ("leaderboard.weekly.US.top10", Channel(BoardId("weekly:US"), 10)),
        ("leaderboard.monthly.DE.top25", Channel(BoardId("monthly:DE"), 25)),
    ],
)
def test_a_name_says_period_country_and_size(name: str, channel: Channel) -> None:
    """What is left out is all of it."""
    assert channel == channel_of(name)


@given(st.sampled_from(Period), st.none() | st.sampled_from(sorted(COUNTRIES)), st.integers(1, LARGEST))
def test_a_channel_comes_back_from_its_name(period: Period, country: str | None, size: int) -> None:
    """A client hears of it by the name with which it asked."""
    channel = Channel(board_of(BoardScope(period, country)), size)
    assert channel == channel_of(channel_name(channel))
