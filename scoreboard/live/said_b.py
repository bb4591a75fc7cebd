"""The data of what the live feed says in document B's words: what is encoded, and what AsyncAPI is told of it."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType, field

from scoreboard.wire.rows import LiveRowJson


class LeaderJson(msgspec.Struct, frozen=True):
    """Who stands first, or stood."""

    userId: str  # noqa: N815 - as the documents spell it
    username: str
    score: int


class UpdateOfB(msgspec.Struct, frozen=True, kw_only=True):
    """All rows of a channel at one version; the board of a period says when it ends."""

    channel: str
    board: str
    epoch: str
    version: int
    leaderboard: list[LiveRowJson]
    totalUsers: int  # noqa: N815
    check: int
    resetsAt: str | UnsetType = UNSET  # noqa: N815
    timestamp: str


class DiffOfB(msgspec.Struct, frozen=True, kw_only=True):
    """From one version to the next."""

    channel: str
    board: str
    epoch: str
    from_: int = field(name="from")
    to: int
    changes: list[LiveRowJson]
    removed: tuple[str, ...]
    totalUsers: int  # noqa: N815
    check: int | UnsetType = UNSET
    timestamp: str


class StandingOfB(msgspec.Struct, frozen=True):
    """Where a player stands; null for one who is not on the board."""

    channel: str
    board: str
    epoch: str
    version: int
    userId: str | None  # noqa: N815
    username: str | None
    rank: int | None
    score: int | None
    totalUsers: int  # noqa: N815
    timestamp: str


class RankChangeOfB(msgspec.Struct, frozen=True):
    """A visible player has another rank; `oldRank` is null for a new one."""

    channel: str
    userId: str  # noqa: N815
    username: str
    oldRank: int | None  # noqa: N815
    newRank: int  # noqa: N815
    score: int
    timestamp: str


class NewLeaderOfB(msgspec.Struct, frozen=True):
    """Somebody else stands first; `previousLeader` is null where nobody did."""

    channel: str
    userId: str  # noqa: N815
    username: str
    score: int
    previousLeader: LeaderJson | None  # noqa: N815
    timestamp: str


class SignedInJson(msgspec.Struct, frozen=True):
    """Who the client is from now on."""

    userId: str  # noqa: N815
    username: str


class ChannelJson(msgspec.Struct, frozen=True):
    """Of this channel nothing more will come."""

    channel: str


class ErrorJson(msgspec.Struct, frozen=True):
    """What could not be done, and of which channel."""

    code: str
    message: str
    channel: str | UnsetType = UNSET


class RefusalJson(msgspec.Struct, frozen=True):
    """Why a command was not done, and how many seconds to wait before it makes sense to ask again."""

    code: str
    message: str
    retryAfter: int | UnsetType = UNSET  # noqa: N815
