"""How often something may happen, counted over all workers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Quota:
    """At most `count` times in `period_s`, in a window that the first one opens.

    Who goes beyond waits for its end; who does so again within `forgiven_s` of quiet waits for twice as long, and
    again, but never longer than `longest_s` (or `period_s`, if that is more).
    """

    count: int
    period_s: float = 60.0
    longest_s: float = 0.0
    forgiven_s: float = 600.0

    @property
    def most_s(self) -> float:
        """The longest that anybody ever waits."""
        return max(self.period_s, self.longest_s)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One more of what `key` names, like ``address:203.0.113.5``."""

    key: str
    quota: Quota


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of it: how many of `limit` are left, and in how many seconds all of them will be there again."""

    limit: int
    remaining: int
    reset_s: float
    allowed: bool


class SharedLimits(Protocol):
    """Counts for all workers at once, by a clock that is nobody's own."""

    async def take(self, wanted: Sequence[Wanted]) -> list[Taken]:
        """Use one of each, also of what is used up; in the order asked, and the same key as often as it stands there.

        Raises:
            StoreUnavailable: it is not known what was counted.
        """
        ...
