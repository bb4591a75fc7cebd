"""How players stand with those who run the game."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from actors.ports.accounts import OutOfReach
from actors.ports.audit import Act
from actors.ports.facts import ScoreFact
from actors.ports.ids import UserId
from actors.ports.profiles import UNCHANGED, Unchanged
from actors.ports.scores import UnknownUser


@dataclass(frozen=True, slots=True)
class PlayerStanding:
    """What was imposed on a player, and what was earned.

    Banned: may do nothing. Quarantined: scores as ever and sees it, and nobody else does. Restricted: is slower until
    then. Flagged: somebody should look. `tier` and `reputation` (0 is everybody's at first) are for limits.
    """

    flagged: bool = False
    restricted_until_us: int | None = None
    quarantined: bool = False
    banned: bool = False
    tier: str = "free"
    reputation: int = 0

    @property
    def hidden(self) -> bool:
        """Whether the player is off all boards."""
        return self.banned or self.quarantined

    def restricted(self, now_us: int) -> bool:
        """Whether the player is slower now."""
        return self.restricted_until_us is not None and now_us < self.restricted_until_us


@dataclass(frozen=True, slots=True)
class StandingChange:
    """What shall be otherwise; to lift something is to set it back."""

    flagged: bool | Unchanged = UNCHANGED
    restricted_until_us: int | Unchanged | None = UNCHANGED
    quarantined: bool | Unchanged = UNCHANGED
    banned: bool | Unchanged = UNCHANGED
    tier: str | Unchanged = UNCHANGED
    reputation: int | Unchanged = UNCHANGED

    @property
    def named(self) -> dict[str, object]:
        """What is named, as it shall be."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in values.items() if value is not UNCHANGED}


@dataclass(frozen=True, slots=True)
class Stood:
    """It is done, and in the audit. `fact` is for the boards: a new version if it hid the player or showed it again."""

    before: PlayerStanding
    after: PlayerStanding
    fact: ScoreFact


class StandingStore(Protocol):
    """How players stand."""

    async def standings(self, user_ids: Sequence[UserId]) -> dict[UserId, PlayerStanding]:
        """How these players stand; who is unknown is left out. Raises StoreUnavailable."""
        ...

    async def total(self, user_id: UserId) -> ScoreFact | None:
        """A player's total as it stands, for boards that may have missed something. Raises StoreUnavailable."""
        ...

    async def change_standing(
        self, user_id: UserId, change: StandingChange, act: Act, *, beyond: Collection[str] = ()
    ) -> Stood | OutOfReach | UnknownUser:
        """Change it, and record who did so and why, in one transaction.

        Nothing, if the player has one of the roles that are `beyond` reach. The same act again changes nothing, and is
        answered as the first time, with the fact of now. A change that changes nothing is recorded, and makes no
        version. Raises StoreUnavailable.
        """
        ...
