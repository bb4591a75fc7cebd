"""Where those are heard for whom there is no place: a few at a time, in case they only ask how the server is."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import trio

from scoreboard.door.limits import DoorLimits


class Seat:
    """One of them."""

    def __init__(self, within_s: float) -> None:
        self.scope = trio.CancelScope(deadline=trio.current_time() + within_s)
        self._cut: Callable[[], None] | None = None

    def serve(self, cut: Callable[[], None]) -> None:
        """It has said what it wants; the answer takes as long as it takes, unless a newer one needs the seat.

        `cut` then closes the socket, which ends a write that is shielded.
        """
        self._cut, self.scope.deadline = cut, math.inf

    def give_up(self) -> None:
        """Somebody newer wants it, or the door closes."""
        self.scope.cancel()
        if self._cut is not None:
            self._cut()


class Seats:
    """As many as `DoorLimits.probes`, and the newest have them.

    So whoever fills the server and these seats too, and says nothing, has to come again all the time to keep a probe
    out, which needs a moment only.
    """

    def __init__(self, limits: DoorLimits) -> None:
        self._limits = limits
        self._taken = deque[Seat]()

    def __repr__(self) -> str:
        return f"<Seats, {len(self._taken)} of {self._limits.probes} taken>"

    @contextmanager
    def seat(self) -> Iterator[Seat]:
        """One for the time of the body, which is cancelled after `probe_within_s`, or when a newer one needs it."""
        seat = Seat(self._limits.probe_within_s)
        self._taken.append(seat)
        if len(self._taken) > self._limits.probes:
            self._taken.popleft().give_up()
        try:
            with seat.scope:
                yield seat
        finally:
            with suppress(ValueError):  # it was given up
                self._taken.remove(seat)

    def clear(self) -> None:
        """Give up all of them."""
        while self._taken:
            self._taken.popleft().give_up()
