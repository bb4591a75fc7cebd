"""The moment in which the boards of one server live."""

from __future__ import annotations

from actors.ports import WallClock

#: By how much the clock on the wall may be set back, and somebody else's clock be ahead, and still be held to be right;
#: a time service corrects no more than that by itself.
HELD_S = 1_000.0
_HELD_US = round(HELD_S * 1_000_000)


class Present:
    """A `WallClock` that stands still where the clock on the wall is set back a little, until that has caught up.

    So no period begins twice, and all boards are in the same one. Where the clock is set back by more it was wrong,
    and is followed.
    """

    def __init__(self, clock: WallClock) -> None:
        self._clock = clock
        self._now_us = self._known_us = 0

    def __repr__(self) -> str:
        return f"<Present at {self._now_us} us>"

    def wall_us(self) -> int:
        """What the clock on the wall shows."""
        return self._clock.now_us()

    def now_us(self) -> int:
        """See `WallClock`."""
        wall_us = self._clock.now_us()
        if not wall_us <= self._now_us <= wall_us + _HELD_US:
            self._now_us = wall_us
            self.note(wall_us)
        return self._now_us

    def heard(self, moment_us: int) -> bool:
        """Somebody did something then, so it is no earlier now; False if that cannot be: somebody's clock is wrong."""
        self.note(moment_us)
        if moment_us > self.wall_us() + _HELD_US:
            return False
        self._now_us = max(self.now_us(), moment_us)
        return True

    def note(self, moment_us: int) -> None:
        """Something is told of this moment, whoever's clock that was."""
        self._known_us = max(self._known_us, moment_us)

    def knows_of(self, moment_us: int) -> bool:
        """Whether anything may have been done then or later."""
        return moment_us <= self._known_us
