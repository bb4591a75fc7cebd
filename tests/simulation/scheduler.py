"""One run of Trio in which the seed decides the order of tasks too, and what was done can be compared by one number."""

from __future__ import annotations

import gc
import hashlib
import random
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar
from unittest.mock import patch

import trio
from trio.testing import MockClock

T = TypeVar("T")

#: So much is remembered of what came before a failure.
REMEMBERED = 60
#: A run that takes more steps than this turns in a circle.
MOST_STEPS = 300_000


class Trace(trio.abc.Instrument):
    """What happened, in order: each step of each task, and what is noted. Two runs that differ have other digests.

    `tell` hears of each note, as a line with the time. `at_step` calls something when so many steps have been made,
    in the middle of whatever is going on: between any two awaits of anybody.
    """

    def __init__(self, tell: Callable[[str], None] = lambda _: None) -> None:
        self.steps = 0
        self.last: deque[str] = deque(maxlen=REMEMBERED)
        self._tell = tell
        self._hash = hashlib.blake2b(digest_size=8)
        self._first: int | None = None
        self._calls: dict[int, Callable[[], None]] = {}
        self._too_many: Callable[[], None] = lambda: None

    @property
    def digest(self) -> str:
        """Of all until now."""
        return self._hash.hexdigest()

    def note(self, what: str) -> None:
        """Something worth telling."""
        line = f"{trio.current_time():10.6f} {what}"
        self._hash.update(line.encode())
        self.last.append(line)
        self._tell(line)

    def bound(self, too_many: Callable[[], None]) -> None:
        """Call it when the run turns in a circle."""
        self._too_many = too_many

    def at_step(self, step: int, call: Callable[[], None]) -> None:
        """Call it then, if the run comes so far."""
        self._calls[step] = call

    def forget_calls(self) -> None:
        """What was to be called is not."""
        self._calls.clear()

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        """See `trio.abc.Instrument`. Tasks are numbered over all runs of a process; here the first counts."""
        if self._first is None:
            self._first = task._counter
        self.steps += 1
        self._hash.update((task._counter - self._first).to_bytes(4, "big"))
        if self.steps == MOST_STEPS:
            self._too_many()
        call = self._calls.pop(self.steps, None)
        if call is not None:
            call()


@contextmanager
def uncollected() -> Iterator[None]:
    """While the body runs no garbage is looked for, which takes a sixth of the time of a run; it is small enough."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def run(seed: int, main: Callable[[], Awaitable[T]], trace: Trace) -> T:
    """Run `main` to its end, in virtual time; Trio shuffles tasks that may run, and here the seed shuffles them."""
    with uncollected(), patch.multiple("trio._core._run", _r=random.Random(seed), _ALLOW_DETERMINISTIC_SCHEDULING=True):
        return trio.run(main, clock=MockClock(autojump_threshold=0), instruments=[trace])
