"""What the limits may be asked."""

from __future__ import annotations

from dataclasses import dataclass

from actors.ports import Taken, Wanted
from actors.runtime import Question


@dataclass(frozen=True, slots=True)
class Take(Question[tuple[Taken, ...]]):
    """Use one of each of these, and say what is left, in this order.

    A `strict` one allows this worker only its part while it cannot be asked what the others have allowed.
    """

    wanted: tuple[Wanted, ...]
    strict: bool = False
