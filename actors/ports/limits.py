"""How often something may happen: judged at once by each worker, and counted over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from actors.ports.ids import UserId


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
    """So many more of what `key` names, like ``address:203.0.113.5``, the first of them `ago_s` before now.

    `refused` if beyond them somebody was refused: that is a violation, whatever others have used.
    """

    key: str
    quota: Quota
    count: int = 1
    refused: bool = False
    ago_s: float = 0.0


class Taken(NamedTuple):  # made with each request: a frozen dataclass takes four times as long
    """What came of it: how many of `limit` are left, and in how many seconds all of them will be there again."""

    limit: int
    remaining: int
    reset_s: float
    allowed: bool


class Limits(Protocol):
    """What one worker allows."""

    def take(self, key: str, quota: Quota) -> Taken:
        """Use one, if there is one; nothing is waited for."""
        ...


class RowLimits(Protocol):
    """What one worker allows of what comes many at once."""

    def take_many(self, key: str, quota: Quota, count: int) -> Taken:
        """Use so many, or none; nothing is waited for. Who is refused has violated nothing: fewer may be allowed."""
        ...


class PlayerLimits(Protocol):
    """What one worker allows players, each as it stands: `name` says of what, `quota` how much everybody has of it."""

    def take(self, user_id: UserId, name: str, quota: Quota) -> Taken:
        """Use one, if there is one; nothing is waited for."""
        ...

    def look(self, user_id: UserId, name: str, quota: Quota) -> Taken:
        """What is left, without using it."""
        ...


class SharedLimits(Protocol):
    """Counts for all workers at once, by a clock that is nobody's own."""

    async def take(self, wanted: Sequence[Wanted]) -> list[Taken]:
        """Count these, also of what is used up; in the order asked, and the same key as often as it stands there.

        A window whose end is a two-hundredth of its period away is over: messages are not equally long on their way,
        and who waited as told shall not be counted in the window before.

        Raises:
            StoreUnavailable: it is not known what was counted.
        """
        ...
