"""Boards: what one shows, and all players of it as columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import compress
from operator import not_
from typing import NamedTuple, Protocol

from actors.ports.facts import ScoreFact
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
    one, so that it costs nothing to have none; so is `hidden`, who of them is kept off the board but known to it.
    `share` is how much of all has been told with these, from 0 to 1.
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
    hidden: Sequence[bool] | None = None

    def facts(self) -> Iterator[ScoreFact]:
        """Their lines, one by one, with those who are hidden."""
        nothing = [None] * len(self.user_ids)
        columns = self.user_ids, self.usernames, self.scores, self.versions, self.reached_us
        more = self.countries or nothing, self.avatars or nothing, self.hidden or nothing
        for user_id, name, score, version, reached_us, country, avatar, hidden in zip(*columns, *more, strict=True):
            yield ScoreFact(user_id, name, score, version, reached_us, 0, 0, country, avatar, bool(hidden))

    def shown(self) -> Members:
        """Those of them who are not hidden."""
        if self.hidden is None:
            return self
        there = list(map(not_, self.hidden))
        return Members(
            list(compress(self.user_ids, there)),
            list(compress(self.usernames, there)),
            list(compress(self.scores, there)),
            list(compress(self.versions, there)),
            list(compress(self.reached_us, there)),
            list(compress(self.totals, there)),
            None if self.countries is None else list(compress(self.countries, there)),
            None if self.avatars is None else list(compress(self.avatars, there)),
            self.share,
        )

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
            None if self.hidden is None else self.hidden[start:stop],
        )


class MemberPages(Protocol):
    """One reading of all players of a board."""

    async def next(self) -> Members | None:
        """Players who have not been told yet, in any order; None when all have been. Raises StoreUnavailable."""
        ...
