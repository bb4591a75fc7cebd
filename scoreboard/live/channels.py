"""The names of channels on the wire: `leaderboard.top10` is the first ten rows of the board of all time."""

from __future__ import annotations

import re
from functools import lru_cache

from actors.leaderboard.events import Channel
from actors.ports import ALL_TIME

LARGEST = 100

_NAME = re.compile(r"leaderboard\.top([1-9][0-9]{0,2})")


@lru_cache(maxsize=128)  # all who watch a channel share one object for it
def channel_of(name: str) -> Channel | None:
    """The channel of that name, or None."""
    match = _NAME.fullmatch(name)
    size = int(match[1]) if match else 0
    return Channel(ALL_TIME, size) if 1 <= size <= LARGEST else None


def channel_name(channel: Channel) -> str:
    """The name of that channel; other boards than the one of all time are named between the two words."""
    board = "" if channel.board == ALL_TIME else f"{channel.board}."
    return f"leaderboard.{board}top{channel.size}"
