"""Boards: what one shows, and all players of it as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from actors.ports.ids import UserId


class Period(StrEnum):
    """How far back a board looks: ever, or to the beginning of its day, week or month."""

    ALL_TIME = "all_time"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class BoardScope(NamedTuple):
    """Which gains of which players a board shows. `country`: ISO 3166 alpha-2 in upper case; None: of all players."""

    period: Period = Period.ALL_TIME
    country: str | None = None


EVERYBODY = BoardScope()


class Span(NamedTuple):
    """One day, week or month: from `start_us` on, before `end_us`. `label` names it (2026-11-22, 2026-W47, 2026-11)."""

    start_us: int
    end_us: int
    label: str

    def holds(self, moment_us: int) -> bool:
        """Whether it was then."""
        return self.start_us <= moment_us < self.end_us


@dataclass(frozen=True, slots=True)
class Members:
    """Many players of a board as columns of the same length, without an object for each player.

    `scores` are the board's: of a period what was gained in it, and then `reached_us` is the last gain in it. `totals`
    are of all time, `versions` those of the last facts. `countries` and `avatars` are None where nobody of these has
    one, so that it costs nothing to have none. `share` is how much of all has been told with these, from 0 to 1.
    """

    user_ids: Sequence[UserId]
    usernames: Sequence[str]
    scores: Sequence[int]
    versions: Sequence[int]
    reached_us: Sequence[int]
    totals: Sequence[int]
    countries: Sequence[str | None] | None
    avatars: Sequence[str | None] | None
    share: float

    def part(self, start: int, stop: int) -> Members:
        """These of them, with the same share."""
        return Members(
            self.user_ids[start:stop],
            self.usernames[start:stop],
            self.scores[start:stop],
            self.versions[start:stop],
            self.reached_us[start:stop],
            self.totals[start:stop],
            None if self.countries is None else self.countries[start:stop],
            None if self.avatars is None else self.avatars[start:stop],
            self.share,
        )


class MemberPages(Protocol):
    """One reading of all players of a board."""

    async def next(self) -> Members | None:
        """Players who have not been told yet, in any order; None when all have been. Raises StoreUnavailable."""
        ...
