"""What a board may be asked, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass

from actors.leaderboard.events import Channel, Row
from actors.leaderboard.update import Update
from actors.ports import ScoreFact, UserId
from actors.runtime import Question, Refusal


class NotRanked(Refusal):
    """The player is not on this board."""

    code = "USER_NOT_FOUND"


@dataclass(frozen=True, slots=True)
class RankMove:
    """Where a player stood before and after a fact; `previous` is None for one who was not on the board."""

    previous: int | None
    new: int


@dataclass(frozen=True, slots=True)
class Apply(Question[tuple[RankMove, ...]]):
    """Facts from the ledger, in their order. Known or older ones change nothing and tell the present rank."""

    facts: tuple[ScoreFact, ...]


@dataclass(frozen=True, slots=True)
class StandingAnswer:
    """A player's line and the share of players, in percent, who stand no higher."""

    row: Row
    percentile: float
    total: int


@dataclass(frozen=True, slots=True)
class Standing(Question[StandingAnswer]):
    """Where does this player stand? Refused with NotRanked."""

    user_id: UserId


@dataclass(frozen=True, slots=True)
class PageAnswer:
    """Rows of a board in order, and how many players it has."""

    rows: tuple[Row, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Page(Question[PageAnswer]):
    """`limit` rows behind the first `offset`."""

    limit: int
    offset: int


@dataclass(frozen=True, slots=True)
class Watch(Question[Update]):
    """Somebody watches this channel from now on: what does it show?"""

    channel: Channel


@dataclass(frozen=True, slots=True)
class Loaded(Question[int]):
    """How many players are on the board? Answered only once it has been loaded."""
