"""What a channel's name says."""

from __future__ import annotations

import re

_TOP = re.compile(r"leaderboard(?:\.(daily|weekly|monthly))?(?:\.([A-Z]{2}))?\.top(\d+)")


def has_board(channel: str) -> bool:
    """Whether a full update answers its subscription; to `player.me` none comes."""
    return channel.startswith("leaderboard.")


def is_around(channel: str) -> bool:
    """Whether its rows are those around somebody, so that they need not begin with rank 1."""
    return channel.endswith(".around_me")


def is_personal(channel: str) -> bool:
    """Whether one must be signed in to watch it."""
    return not has_board(channel) or is_around(channel)


def poll_path(channel: str) -> str | None:
    """The address at which its board can be polled; None for those that only the live feed has."""
    found = _TOP.fullmatch(channel)
    if found is None:
        return None
    period, country, size = found.groups()
    if not period and not country:
        return f"/api/scores/top?limit={size}"
    more = (f"&period={period.upper()}" if period else "") + (f"&country={country}" if country else "")
    return f"/api/v1/leaderboard/top?limit={size}{more}"
