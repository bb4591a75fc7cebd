"""Answers about boards and their archive."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from scoreboard.api.shapes.parts import Id, Moment, Name, Percent, Period, Points, Rank, Shape
from scoreboard.wire.rows import FullRowJson, RowJson


class TopOfA(Shape):
    """A page of the board."""

    leaderboard: list[RowJson]
    total_users: int
    cache_hit: bool
    timestamp: Annotated[int, Meta(description="Milliseconds since 1970")]


class StandingOfA(Shape):
    """Where a player stands."""

    rank: Rank
    user_id: Id
    username: Name
    score: Points
    last_updated: Moment
    percentile: Percent


class Own(Shape):
    """One's own line."""

    rank: Rank
    user_id: Id
    username: Name
    score: Points


class TopOfB(Shape):
    """A page of a board; `currentUser` is there for who is signed in."""

    leaderboard: list[FullRowJson]
    total_users: int
    period: Period
    generated_at: Moment
    current_user: Own | UnsetType | None = UNSET
    country: str | UnsetType = UNSET
    resets_at: Moment | UnsetType = UNSET


class AroundPlayer(Shape):
    """A player's line and its neighbours."""

    leaderboard: list[FullRowJson]
    current_user: FullRowJson
    total_users: int
    period: Period
    generated_at: Moment
    country: str | UnsetType = UNSET
    resets_at: Moment | UnsetType = UNSET


class RankOfPlayer(Shape):
    """Where one player stands on a board."""

    rank: Rank
    user_id: Id
    username: Name
    score: Points
    avatar: str | None
    country: str | None
    last_updated: Moment
    percentile: Percent
    total_users: int
    period: Period
    resets_at: Moment | UnsetType = UNSET


class ClosedPeriod(Shape):
    """A period that is over."""

    period: Period
    label: Annotated[str, Meta(examples=["2026-W05"])]
    starts_at: Moment
    ends_at: Moment
    final: bool
    players: int


class ClosedPeriods(Shape):
    """Periods that are over, the newest first."""

    periods: list[ClosedPeriod]
    period: Period


class ArchivedPage(ClosedPeriod):
    """A page of a period that is over."""

    leaderboard: list[FullRowJson]
    total_users: int
    country: str | UnsetType = UNSET
