"""Clocks on the wall that can be set for chosen processes, without anybody else noticing."""

from __future__ import annotations

import math
import struct
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

SOURCE = Path(__file__).with_name("clock.c")
#: Whose clocks there are beside those of the workers, which have their numbers: the parent's and both stores'.
PARENT, POSTGRES, VALKEY = 0, 8, 9
PLACES = 16
#: A token of the time before has been spent or thrown away so long after a clock was set, seconds.
EVEN_S = 45.0
#: A file's time is that of the kernel's last tick.
BEHIND_NS = 20_000_000
#: So often time may go by for everybody.
MOMENTS = 1000


class SteppedClock:
    """Processes with `environ` see the time of day plus an offset, from the moment in which it is set.

    What goes on by itself (CLOCK_MONOTONIC) is as it was. Files were made when a clock showed it that is right.
    `why_not` says why there is no such clock here: then all show what they really do. `right_s` is by how much a clock
    that is right is ahead of the one of this machine. `was_set` says whether any was since the beginning, `changed_at`
    when one was last or time went by, and `right_since_s` since when all are right: infinite, if one
    is not.
    """

    def __init__(self, folder: Path, right_s: int = 0) -> None:
        self._file, library = folder / "offset", folder / "clock.so"
        self._environ: dict[str, str] = {}
        self._file.write_bytes(bytes(8 * (PLACES + 2 * MOMENTS)))
        self._file.chmod(0o644)
        self.why_not = _compiled(library)
        self.right_s = 0
        self.was_set = False
        self.right_since_s = 0.0
        self.changed_at = -math.inf
        self._wrong_s: dict[int, int] = {}
        self._moments: list[int] = []
        if self.why_not is None:
            self._environ = {"LD_PRELOAD": str(library), "STEPPED_CLOCK": str(self._file)}
            self.pass_by(right_s)
            self.was_set, self.changed_at = False, -math.inf

    def environ(self, place: int | None = None) -> dict[str, str]:
        """For a process that has that clock; workers and their parent find out which is theirs."""
        named = {} if place is None else {"STEPPED_PLACE": str(place)}
        return {**self._environ, **named} if self._environ else {}

    def is_even(self) -> bool:
        """Whether all have gone on as usual for so long that nobody has a token of before."""
        return not self._wrong_s and self.unchanged_s > EVEN_S

    @property
    def unchanged_s(self) -> float:
        """For how long no clock was set, and no time went by at once."""
        return time.monotonic() - self.changed_at

    @property
    def wrong_s(self) -> Mapping[int, int]:
        """By how much those that are wrong are ahead of what is right."""
        return self._wrong_s

    def now_s(self, place: int = PARENT) -> float:
        """What that clock shows."""
        return self.true_s() + self._wrong_s.get(place, 0)

    def true_s(self) -> float:
        """What a clock shows that is right."""
        return time.time() + self.right_s

    def set(self, seconds: int, *places: int) -> None:
        """So many ahead of what is right, or behind, if that is negative, for these."""
        self._wrong_s |= dict.fromkeys(places, seconds)
        self.right_since_s = math.inf
        self._write()

    def put_right(self) -> bool:
        """All of them; whether any was wrong."""
        was_wrong = any(self._wrong_s.values())
        self._wrong_s.clear()
        if was_wrong:
            self._write()
            self.right_since_s = self.true_s()
        return was_wrong

    def pass_by(self, seconds: int) -> None:
        """It is so much later now, by all clocks alike."""
        self.right_s += seconds
        self._moments += [time.time_ns() - BEHIND_NS, self.right_s]
        self._write()

    def _write(self) -> None:
        assert self.why_not is None, self.why_not
        assert len(self._moments) <= 2 * MOMENTS
        self.was_set, self.changed_at = True, time.monotonic()
        shown = [self.right_s + self._wrong_s.get(place, 0) for place in range(PLACES)]
        with self._file.open("r+b") as file:
            file.write(struct.pack(f"={PLACES + len(self._moments)}q", *shown, *self._moments))


def _compiled(library: Path) -> str | None:
    command = ["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE), "-ldl"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except OSError as error:
        return f"no C compiler: {error}"
    return done.stderr.strip() or "cc failed" if done.returncode else None
