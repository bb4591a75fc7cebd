"""What one worker does and all must hear of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

#: A session has ended: `about` is its id.
SESSION_ENDED = "session"
#: A player has been erased: `about` is the player's id.
USER_ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Announcement:
    """Something that was done, and whom it is about."""

    id: int
    kind: str
    about: str


@dataclass(frozen=True, slots=True)
class News:
    """Announcements that can be read now, and the position from which the next reading begins."""

    announcements: tuple[Announcement, ...]
    position: int


class AnnouncementStore(Protocol):
    """Where announcements stand as long as what they are about matters: in the transaction that did it."""

    async def since(self, age_s: float) -> News:
        """All that are not older, and perhaps some that are; raises StoreUnavailable."""
        ...

    async def after(self, position: int) -> News:
        """All that could not be read at that position, however late they were committed; some of them perhaps again.

        Raises:
            StoreUnavailable: another time.
        """
        ...


class Bell(Protocol):
    """Tells other workers that there is something to read. Who does not hear it reads a little later."""

    async def ring(self) -> None:
        """There is; raises StoreUnavailable."""
        ...

    async def heard(self) -> object:
        """Something that is another thing whenever somebody has rung; raises StoreUnavailable."""
        ...
