"""What a player shows and tells of itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

from actors.ports.facts import ScoreFact
from actors.ports.ids import UserId
from actors.ports.scores import BannedUser, UnknownUser


class Unchanged(Enum):
    """Stands for what a change leaves as it is."""

    UNCHANGED = "unchanged"


UNCHANGED: Final = Unchanged.UNCHANGED


@dataclass(frozen=True, slots=True)
class Profile:
    """One player, but for scores. `last_active_us`: the last score or change. `active`: the account is in use."""

    user_id: UserId
    username: str
    email: str
    role: str
    country: str | None
    avatar: str | None
    created_us: int
    last_active_us: int
    active: bool
    banned: bool


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """What shall be otherwise. `country`: two letters in upper case; None takes it away."""

    country: str | Unchanged | None = UNCHANGED
    avatar: str | Unchanged | None = UNCHANGED


class ProfileStore(Protocol):
    """Profiles beside the ledger."""

    async def profile(self, user_id: UserId) -> Profile | None:
        """The player of that id. Raises StoreUnavailable."""
        ...

    async def change_profile(self, user_id: UserId, change: ProfileChange) -> ScoreFact | UnknownUser | BannedUser:
        """Change it; the fact tells the boards: the next version, with the score and the moment of before.

        A change that changes nothing makes no version, so the same call again gives the same answer. A banned player
        is on no board, and nothing is changed. Raises StoreUnavailable, and StoreFault for a country of three letters.
        """
        ...
