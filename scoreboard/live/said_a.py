"""The data of what the live feed says in document A's words, as `said_b` has those of B. Times are milliseconds."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType, field

from scoreboard.wire.rows import RowJson


class UpdateOfA(msgspec.Struct, frozen=True, kw_only=True):
    """All rows of a channel at one version; the board of a period says when it ends."""

    type: Literal["full"]
    data: list[RowJson]
    channel: str
    epoch: str
    version: int
    totalUsers: int  # noqa: N815 - as the documents spell it
    check: int
    resetsAt: int | UnsetType = UNSET  # noqa: N815
    timestamp: int


class DiffOfA(msgspec.Struct, frozen=True, kw_only=True):
    """From one version to the next."""

    type: Literal["diff"]
    data: list[RowJson]
    removed: tuple[str, ...]
    channel: str
    epoch: str
    from_: int = field(name="from")
    to: int
    totalUsers: int  # noqa: N815
    check: int | UnsetType = UNSET
    timestamp: int


class RankChangeOfA(msgspec.Struct, frozen=True):
    """A player has entered the first ten or left them; of oneself any rank."""

    userId: str  # noqa: N815
    username: str
    newRank: int  # noqa: N815
    enteredTop10: bool  # noqa: N815
    timestamp: int


class ScoreChangeOfA(msgspec.Struct, frozen=True):
    """A visible player has another score; `previousRank` is null for a new one."""

    userId: str  # noqa: N815
    username: str
    previousScore: int  # noqa: N815
    newScore: int  # noqa: N815
    previousRank: int | None  # noqa: N815
    newRank: int  # noqa: N815
    timestamp: int
