"""The names of channels on the wire.

`leaderboard.top10` is the first ten rows of the board of all time, `leaderboard.weekly.US.top10` those of this week's
among the players of one country. `leaderboard.around_me` is one's own row between others, `player.me` where one stands.
"""

from __future__ import annotations

import re
from functools import lru_cache

from actors.leaderboard.events import Channel
from actors.leaderboard.scope import board_of, scope_of
from actors.ports import ALL_TIME, BoardScope, Period
from scoreboard.wire.countries import COUNTRIES

LARGEST = 100
#: Rows above and below one's own: unless one says otherwise, and at most.
RADIUS, WIDEST = 5, 25

#: Where one stands oneself.
ME = Channel(ALL_TIME, 0, around=True)
_ME = "player.me"
_PERSONAL = "player."

#: What there is, for who asked for something else.
KNOWN = (
    f"leaderboard[.daily|weekly|monthly][.CC].top<N>, with CC a country as ISO 3166-1 has it (US) and N from 1 to "
    f"{LARGEST}; leaderboard[.daily|weekly|monthly][.CC].around_me; {_ME}"
)

_NAME = re.compile(r"leaderboard(?:\.(daily|weekly|monthly))?(?:\.([A-Z]{2}))?\.(?:top([1-9][0-9]{0,2})|(around_me))")


@lru_cache(maxsize=1024)  # all who watch a channel share one object for it
def channel_of(name: str) -> Channel | None:
    """The channel of that name, or None."""
    if name == _ME:
        return ME
    match = _NAME.fullmatch(name)
    if match is None or (match[2] or "US") not in COUNTRIES:
        return None
    board = board_of(BoardScope(Period(match[1]) if match[1] else Period.ALL_TIME, match[2]))
    if match[4]:
        return Channel(board, RADIUS, around=True)
    return Channel(board, int(match[3])) if int(match[3]) <= LARGEST else None


def with_radius(channel: Channel, radius: int) -> Channel | None:
    """The same with so many rows on either side; None of a channel that has no such thing, or for too many."""
    if not (channel.around and channel.size and 1 <= radius <= WIDEST):
        return None
    return channel._replace(size=radius)


def is_of_another(name: str) -> bool:
    """Whether it names what belongs to a player, but not as that player would."""
    return name.startswith(_PERSONAL) and name != _ME


@lru_cache(maxsize=1024)
def channel_name(channel: Channel) -> str:
    """The name of that channel."""
    if channel == ME:
        return _ME
    scope = scope_of(channel.board)
    period = "" if scope.period is Period.ALL_TIME else f"{scope.period.value}."
    country = "" if scope.country is None else f"{scope.country}."
    return f"leaderboard.{period}{country}" + ("around_me" if channel.around else f"top{channel.size}")
