"""What is known of how each player usually plays, and what was found to be wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from actors.ports.ids import EventId, UserId


class Severity(StrEnum):
    """How bad something is if it is what it seems."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Consequence(StrEnum):
    """What follows of it. See `PlayerStanding` for what these are; `LOG` is nothing but the record."""

    LOG = "log"
    FLAG = "flag"
    RESTRICT = "restrict"
    QUARANTINE = "quarantine"
    BAN = "ban"


@dataclass(slots=True)
class Moments:
    """So many values, their mean, and the sum of the squares of their distances from it."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0


@dataclass(slots=True)
class Habits:
    """How a player usually plays, so far. Times are microseconds; places are marks that tell nothing of an address.

    `paces` are the logarithms of the seconds between two scores, each the mean of a run of some; `run` is the run that
    is not full yet. `hourly` are the points of each hour with any, at its best. `recent` are the last attempts, in the
    order of their times, `scored` the last scores, `points` what was gained in each minute of the last hour. The
    player has played since `since_us` without a break; `failed` is which share of its attempts failed lately. `unusual`
    says by how much it plays unlike others, after so many `looks`, the last at `looked_us`; at `learnt_us` it was last
    learnt from. `told` says of each rule until when it is silent about this player, and how often it held its peace.
    """

    actions: int = 0
    paces: Moments = field(default_factory=Moments)
    hourly: Moments = field(default_factory=Moments)
    hours: list[int] = field(default_factory=lambda: [0] * 24)
    recent: list[int] = field(default_factory=list)
    scored: list[int] = field(default_factory=list)
    points: dict[int, int] = field(default_factory=dict)
    hour: int = 0
    hour_points: int = 0
    address: str | None = None
    agent: str | None = None
    country: str | None = None
    addresses: dict[str, int] = field(default_factory=dict)
    told: dict[str, tuple[int, int]] = field(default_factory=dict)
    run: Moments = field(default_factory=Moments)
    since_us: int = 0
    failed: float = 0.0
    looked_us: int = 0
    learnt_us: int = 0
    looks: int = 0
    unusual: float = 0.0


@dataclass(frozen=True, slots=True)
class FraudEvent:
    """Something that a rule found: `explanation` is for people, `times` how often since it was told last."""

    event_id: EventId
    user_id: UserId
    at_us: int
    rule: str
    severity: Severity
    consequence: Consequence
    explanation: str
    times: int = 1


class FraudStore(Protocol):
    """Habits and findings. All methods raise StoreUnavailable."""

    async def habits(self, user_ids: Sequence[UserId]) -> dict[UserId, Habits]:
        """What is known of these players; who was never kept is left out."""
        ...

    async def some_habits(self, count: int) -> list[Habits]:
        """Those of so many players at most, drawn from all who have played in the last 30 days."""
        ...

    async def keep(self, habits: Mapping[UserId, Habits]) -> None:
        """Keep them in the place of what was known. Who is no player (any more) is passed by."""
        ...

    async def record(self, events: Sequence[FraudEvent]) -> None:
        """Write these in one transaction. An event that is there already, or is of no player, is passed by."""
        ...

    async def found(
        self,
        *,
        user_id: UserId | None = None,
        rule: str | None = None,
        since_us: int = 0,
        limit: int = 100,
        offset: int = 0,
    ) -> list[FraudEvent]:
        """What was found with one player, or with all, by one rule, or by all, since then; the newest first."""
        ...

    async def restricted(self, now_us: int) -> dict[UserId, int]:
        """All players who are slower now, each with until when."""
        ...
