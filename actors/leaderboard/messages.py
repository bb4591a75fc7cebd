"""What a board and its audiences may be asked, and what they answer. All that other rooms need stands here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from actors.leaderboard.events import Channel, Row
from actors.leaderboard.update import Dialect, Update
from actors.ports import ScoreFact, UserId
from actors.runtime import Question, Refusal

__all__ = [
    "Apply",
    "CatchUp",
    "Dialect",
    "Join",
    "Leave",
    "Loaded",
    "NotRanked",
    "Page",
    "PageAnswer",
    "RankMove",
    "Show",
    "Standing",
    "StandingAnswer",
    "Subscriber",
    "Unwatch",
    "Update",
    "Watch",
]


class NotRanked(Refusal):
    """The player is not on this board."""

    code = "USER_NOT_FOUND"


# --- to the board ------------------------------------------------------------------------------------------------


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
class CatchUp:
    """Facts may have been lost on their way: read all players from the store again, beside all other work."""


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
class Watch:
    """Somebody watches this channel: broadcast what it shows, and from now on every step."""

    channel: Channel


@dataclass(frozen=True, slots=True)
class Unwatch:
    """Nobody watches this channel any more."""

    channel: Channel


@dataclass(frozen=True, slots=True)
class Loaded(Question[int]):
    """How many players are on the board? Answered only once it has been loaded."""


# --- to the audience of a channel --------------------------------------------------------------------------------


class Subscriber(Protocol):
    """A connection, as its audience sees it."""

    def offer(self, update: Update) -> bool:
        """Take a step, or remember to catch up later; False when it has gone. Never waits and never raises."""
        ...


@dataclass(frozen=True, slots=True)
class Join(Question[None]):
    """Offer this subscriber what the channel shows, as soon as that is known, and every step from now on."""

    subscriber: Subscriber


@dataclass(frozen=True, slots=True)
class Leave:
    """Offer this subscriber nothing more."""

    subscriber: Subscriber


@dataclass(frozen=True, slots=True)
class Show:
    """The board's next step, or once more what it shows."""

    update: Update
