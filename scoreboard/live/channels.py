"""The names of channels on the wire.

`leaderboard.top10` is the first ten rows of the board of all time, `leaderboard.weekly.US.top10` those of this week's
among the players of one country.
"""

from __future__ import annotations

import re
from functools import lru_cache

from actors.leaderboard.events import Channel
from actors.leaderboard.scope import board_of, scope_of
from actors.ports import BoardScope, Period
from scoreboard.wire.countries import COUNTRIES

LARGEST = 100

#: What there is, for who asked for something else.
KNOWN = (
    f"leaderboard[.daily|weekly|monthly][.CC].top<N>, with CC a country as ISO 3166-1 has it (US) and N from 1 to "
    f"{LARGEST}"
)

_NAME = re.compile(r"leaderboard(?:\.(daily|weekly|monthly))?(?:\.([A-Z]{2}))?\.top([1-9][0-9]{0,2})")


@lru_cache(maxsize=1024)  # all who watch a channel share one object for it
def channel_of(name: str) -> Channel | None:
    """The channel of that name, or None."""
    match = _NAME.fullmatch(name)
    if match is None or not 1 <= int(match[3]) <= LARGEST or (match[2] or "US") not in COUNTRIES:
        return None
    period = Period(match[1]) if match[1] else Period.ALL_TIME
    return Channel(board_of(BoardScope(period, match[2])), int(match[3]))


@lru_cache(maxsize=1024)
def channel_name(channel: Channel) -> str:
    """The name of that channel."""
    scope = scope_of(channel.board)
    period = "" if scope.period is Period.ALL_TIME else f"{scope.period.value}."
    country = "" if scope.country is None else f"{scope.country}."
    return f"leaderboard.{period}{country}top{channel.size}"
