"""Those who ask with a key whose first answer is not known yet: they hear the first one, whoever gives it.

Another worker may be about to tell who asked first, and ranks move. So whoever comes second looks the key up until the
ranks of the first answer are there. If they never come (that worker has died, or its client has), the second answer is
kept as the first, and what is told is what was kept. The first is told without looking only while no second can have
come to that: `FIRST_S` is less than `SECOND_S`. Both are measured by one worker each, so no clocks are compared.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import trio

from actors.ledger.messages import LedgerUnavailable, Receipt
from actors.ports import KeyConflict, KeyLookup, Repeated
from actors.runtime import Request

#: So long behind the beginning of its transaction a first answer is told without a look at what was kept.
FIRST_S = 4.0
#: So long a second waits for the first answer.
SECOND_S = 5.0
#: Seconds between two looks.
LOOK_S = 0.2
#: More than this wait at no time; one more is to ask again.
MOST = 5_000

UNCONFIRMED = "The first answer to this Idempotency-Key is on its way. Send the same request again in a moment."


@dataclass(frozen=True, slots=True)
class Second:
    """One who waits: with what is told if there was no first answer, and when (infinite: there is one)."""

    request: Request
    lookup: KeyLookup
    receipt: Receipt
    takes_over_at: float


class Seconds:
    """All who wait."""

    __slots__ = ("_look_at", "_waiting")

    def __init__(self) -> None:
        self._waiting: list[Second] = []
        self._look_at = math.inf

    def __len__(self) -> int:
        return len(self._waiting)

    def __repr__(self) -> str:
        return f"<Seconds {len(self._waiting)}>"

    @property
    def due(self) -> float:
        """When their keys should be looked up, infinite if nobody waits."""
        return self._look_at if self._waiting else math.inf

    def wait(self, request: Request, lookup: KeyLookup, receipt: Receipt, *, recorded: bool) -> None:
        """Wait for the first answer; `recorded`: there is one by now, it need only be read."""
        now = trio.current_time()
        if len(self._waiting) >= MOST:
            request.fail(LedgerUnavailable(UNCONFIRMED))
            return
        self._look_at = now if recorded else min(self._look_at, now + LOOK_S) if self._waiting else now + LOOK_S
        self._waiting.append(Second(request, lookup, receipt, math.inf if recorded else now + SECOND_S))

    def take(self) -> list[Second]:
        """All for whom somebody waits still; they are looked up now."""
        taken, self._waiting = [each for each in self._waiting if each.request.open], []
        return taken

    def settle(
        self, taken: Sequence[Second], found: Sequence[Repeated | KeyConflict | None]
    ) -> tuple[list[tuple[Second, Repeated]], list[Second]]:
        """Whose first answer is known, with it; and who takes over. The others wait on."""
        now = trio.current_time()
        told: list[tuple[Second, Repeated]] = []
        heirs: list[Second] = []
        for each, known in zip(taken, found, strict=True):
            if isinstance(known, Repeated) and known.new_rank is not None:
                told.append((each, known))
            elif each.takes_over_at <= now:
                heirs.append(each)
            else:
                self._waiting.append(each)
        self._look_at = now + LOOK_S
        return told, heirs

    def refuse(self, taken: Sequence[Second]) -> None:
        """They cannot be looked up."""
        for each in taken:
            each.request.fail(LedgerUnavailable(UNCONFIRMED))
