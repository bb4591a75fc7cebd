"""A row of a board as both documents show it."""

from __future__ import annotations

import msgspec

from actors.leaderboard.events import Row
from scoreboard.wire.times import iso


class RowJson(msgspec.Struct, frozen=True, gc=False):
    """Rank, player, score, and when the player reached it."""

    rank: int
    userId: str  # noqa: N815 - as both documents spell it
    username: str
    score: int
    lastUpdated: str  # noqa: N815


def row_json(row: Row) -> RowJson:
    """A row as it is told."""
    return RowJson(row.rank, row.user_id, row.username, row.score, iso(row.reached_us))


class FullRowJson(msgspec.Struct, frozen=True, gc=False):
    """The same as document B has it: with what the player shows, null where there is nothing."""

    rank: int
    userId: str  # noqa: N815
    username: str
    score: int
    avatar: str | None
    country: str | None
    lastUpdated: str  # noqa: N815


def full_row_json(row: Row) -> FullRowJson:
    """A row as document B tells it."""
    return FullRowJson(row.rank, row.user_id, row.username, row.score, row.avatar, row.country, iso(row.reached_us))


class LiveRowJson(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The same as document B's live feed has it: what the player does not show is not there."""

    rank: int
    userId: str  # noqa: N815
    username: str
    score: int
    lastUpdated: str  # noqa: N815
    avatar: str | None = None
    country: str | None = None


def live_row_json(row: Row) -> LiveRowJson:
    """A row as document B's live feed tells it."""
    return LiveRowJson(row.rank, row.user_id, row.username, row.score, iso(row.reached_us), row.avatar, row.country)
