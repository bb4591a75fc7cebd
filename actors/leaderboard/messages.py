"""What a board and its audiences may be asked, and what they answer. All that other rooms need stands here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from actors.leaderboard.events import Channel, Row
from actors.leaderboard.touched import Ranks
from actors.leaderboard.update import Dialect, Update
from actors.ports import ScoreFact, UserId
from actors.runtime import Question, Refusal

__all__ = [
    "MOST_AROUND",
    "Apply",
    "Around",
    "AroundAnswer",
    "CatchUp",
    "Dialect",
    "Join",
    "JoinAround",
    "Leave",
    "LeaveAround",
    "Loaded",
    "NotRanked",
    "Page",
    "PageAnswer",
    "RankAnswer",
    "RankMove",
    "RankOf",
    "Rebuild",
    "Seats",
    "Send",
    "Show",
    "Subscriber",
    "TakeTouched",
    "Unwatch",
    "Update",
    "Watch",
    "Windows",
    "WindowsAnswer",
]


class NotRanked(Refusal):
    """The player is not on this board."""

    code = "USER_NOT_FOUND"


# --- to the board ------------------------------------------------------------------------------------------------


class RankMove(NamedTuple):
    """Where a player stood before and after a fact; `previous` is None for one who was not on the board.

    A tuple, because one is made with every score.
    """

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
class Rebuild:
    """What is here is not to be trusted: read all from the store anew, and begin a new epoch when that is whole.

    An operator says so, or the follower, when the store goes on with another history and may have lost what is here.

    Unlike `CatchUp` this keeps nothing of what is here. The board goes on as it is meanwhile.
    """


@dataclass(frozen=True, slots=True)
class RankAnswer:
    """A player's line and the share of players, in percent, who stand no higher."""

    row: Row
    percentile: float
    total: int


@dataclass(frozen=True, slots=True)
class RankOf(Question[RankAnswer]):
    """Where does this player stand? Refused with NotRanked, also for who is hidden, unless it asks for its `own`."""

    user_id: UserId
    own: bool = False


#: So many rows may be asked for on either side of a player.
MOST_AROUND = 100


@dataclass(frozen=True, slots=True)
class AroundAnswer:
    """A player's line, and it once more between its neighbours, in order."""

    row: Row
    rows: tuple[Row, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Around(Question[AroundAnswer]):
    """Who stands next to this player: up to `above` and `below` rows, each to `MOST_AROUND`. Refused with NotRanked.

    `own`: the player itself asks, and stands among the others also while it is hidden from them.
    """

    user_id: UserId
    above: int
    below: int
    own: bool = False


@dataclass(frozen=True, slots=True)
class TakeTouched(Question[tuple[Ranks, ...] | None]):
    """Which ranks were touched since this was asked last? None if that is not known: then all may have been."""


@dataclass(frozen=True, slots=True)
class WindowsAnswer:
    """The rows round each player that was asked for, in the same order, none for one who is not on the board.

    `totals` are how many players there are, for each in its own eyes.
    """

    windows: tuple[tuple[Row, ...], ...]
    totals: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Windows(Question[WindowsAnswer]):
    """Who stands next to each of these players, up to so many rows on either side, all at one moment?

    Each for its own eyes: who is hidden stands among the others as if it were not so.
    """

    wanted: tuple[tuple[UserId, int], ...]


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

#: Takes ready frames at once and returns how many bytes of them; raises what it likes when it takes none.
Send = Callable[[bytes], int]


class Seats(Protocol):
    """Where whoever has been shown what a channel shows is given the next steps as they come."""

    @property
    def channel(self) -> Channel:
        """What is shown here."""
        ...

    def seat(self, subscriber: Subscriber, dialect: Dialect, send: Send, *, full: bool, shown: tuple[str, int]) -> bool:
        """Sit down, if `shown` (epoch and version) is what the channel shows; then steps go to `send` only."""
        ...

    def unseat(self, subscriber: Subscriber) -> Update | None:
        """Be offered steps again; what this one has been shown last, None if it had no seat."""
        ...


class Subscriber(Protocol):
    """A connection, as its audience sees it. Nothing here waits or raises."""

    def offer(self, update: Update) -> bool:
        """Take a step, or remember to catch up later; False when it has gone."""
        ...

    def settle(self, seats: Seats) -> None:
        """Asked after an offer: who is up to date and has nothing else under way may sit down on one of the seats."""
        ...

    def fell_out(self, channel: Channel, shown: Update, rest: bytes) -> None:
        """It has no seat any more and was shown `shown` last; the `rest` of its frames is still to be sent."""
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
class JoinAround(Question[None]):
    """Show this subscriber who stands round a player, now and whenever that changes, until it leaves the channel."""

    subscriber: Subscriber
    channel: Channel
    user_id: UserId


@dataclass(frozen=True, slots=True)
class LeaveAround:
    """Show this subscriber that channel no more."""

    subscriber: Subscriber
    channel: Channel


@dataclass(frozen=True, slots=True)
class Show:
    """The board's next step, or once more what it shows."""

    update: Update
