"""What the limits may be asked and told."""

from __future__ import annotations

from dataclasses import dataclass

from actors.ports import Taken, UserId, Wanted
from actors.runtime import Question


@dataclass(frozen=True, slots=True)
class Attempt(Question[tuple[Taken, ...]]):
    """Use one of each of these, as all workers together know them, and say what is left, in this order.

    While it is not known what the others have allowed, this worker allows its part only.
    """

    wanted: tuple[Wanted, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """There is something that the others have not heard of."""


@dataclass(frozen=True, slots=True)
class LookUp:
    """How this player stands is not known, or has not been looked at for long."""

    user_id: UserId
