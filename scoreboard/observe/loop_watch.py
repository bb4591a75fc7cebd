"""How long the event loop is held at a time, and by whom when it was too long.

Trio looks for input once a turn and then lets every task that can run take one step. As long as that takes, nobody
who sends something is heard: that is the loop's lag. It is measured turn by turn: that misses none, and is two looks
at a clock. Hooks round each step would look as often for every step of a turn; a task that sleeps and looks how late it
wakes would make turns of its own, also when nobody is there.
"""

from __future__ import annotations

import gc
import math
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Protocol

import trio

WARN_ABOVE_S = 0.25
WARN_EVERY_S = 10.0
#: Half of what is warned of, so that each such turn is looked into while it lasts.
LOOK_EVERY_S = WARN_ABOVE_S / 2
FRAMES_TOLD = 8


class Log(Protocol):
    """The part of a structlog logger that is used here."""

    def warning(self, event: str, **fields: object) -> object:
        """Note something that somebody should look at."""
        ...


class LoopWatch(trio.abc.Instrument):
    """Tells `held` the seconds of each turn of the loop, and warns of those that lasted too long.

    A warning says how much of it the garbage collector took and where the loop's thread was, seen by another thread in
    the middle of it. A call that keeps the interpreter to itself all the while lets nobody look. At most one warning in
    `warn_every_s`; the next one tells how many were left out.

    Args:
        held: Called once a turn, in the loop's thread; must neither raise nor wait.
        log: Where warnings go.
        now: A monotonic clock, in seconds; the processor's, whatever Trio's is.
    """

    def __init__(
        self,
        held: Callable[[float], None],
        log: Log,
        *,
        now: Callable[[], float] = time.perf_counter,
        warn_above_s: float = WARN_ABOVE_S,
        warn_every_s: float = WARN_EVERY_S,
    ) -> None:
        self._held = held
        self._log = log
        self._now = now
        self._warn_above_s = warn_above_s
        self._warn_every_s = warn_every_s
        self._thread = threading.get_ident()
        self._began: float | None = None
        self._collecting_since = 0.0
        self._collecting_s = 0.0
        self._seen: tuple[str, ...] = ()
        # When the turns began that these two are about: cheaper than to forget both at the end of every turn.
        self._collected_in: float | None = None
        self._seen_in: float | None = None
        self._warned_at = -math.inf
        self._unlogged = 0

    def __repr__(self) -> str:
        return f"<LoopWatch {'waiting' if self._began is None else 'in a turn'}>"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Watch the loop that is running in this thread, until the end of the scope."""
        self._thread = threading.get_ident()
        over = threading.Event()
        looking = threading.Thread(target=self._look_until, args=(over,), name="loop watch", daemon=True)
        gc.callbacks.append(self._collector)
        trio.lowlevel.add_instrument(self)
        looking.start()
        try:
            yield
        finally:
            over.set()
            looking.join(LOOK_EVERY_S)
            gc.callbacks.remove(self._collector)
            with suppress(KeyError):  # Trio has removed it, with a line in the log, if a hook has failed
                trio.lowlevel.remove_instrument(self)

    # --- what Trio calls; every name here is a hook of its ---

    def before_io_wait(self, timeout: float) -> None:
        """The turn is over, unless there is more to do at once: then to look for input is a part of it."""
        if timeout > 0:
            self._turn_to(None)

    def after_io_wait(self, timeout: float) -> None:  # noqa: ARG002 - Trio's signature
        """The next turn begins."""
        self._turn_to(self._now())

    # --- the turn ---

    def _turn_to(self, begins: float | None) -> None:
        """End the turn, if there is one, and begin the next, if there is one."""
        began, self._began = self._began, begins
        if began is None:
            return
        ended = self._now() if begins is None else begins
        self._held(ended - began)
        if ended - began > self._warn_above_s:
            self._warn(began, ended)

    def _warn(self, began: float, ended: float) -> None:
        if ended < self._warned_at + self._warn_every_s:
            self._unlogged += 1
            return
        self._log.warning(
            "loop_held",
            seconds=round(ended - began, 3),
            collecting_garbage_s=round(self._collecting_s if self._collected_in == began else 0.0, 3),
            seen_at=self._seen if self._seen_in == began else (),
            unlogged=self._unlogged,
            meaning="nobody was served meanwhile",
        )
        self._warned_at, self._unlogged = ended, 0

    def _collector(self, phase: str, _info: dict[str, int]) -> None:
        if phase == "start":
            self._collecting_since = self._now()
            return
        if self._collected_in != self._began:
            self._collected_in, self._collecting_s = self._began, 0.0
        self._collecting_s += self._now() - self._collecting_since

    # --- the other thread ---

    def _look_until(self, over: threading.Event) -> None:
        while not over.wait(LOOK_EVERY_S):
            self.look()

    def look(self) -> None:
        """Remember where the loop's thread is, if its turn has lasted for half of what is warned of."""
        began = self._began
        if began is None or self._now() - began < self._warn_above_s / 2:
            return
        seen = where(sys._current_frames().get(self._thread))  # noqa: SLF001 - documented, in spite of its name
        if began == self._began:  # a turn that began since then has nothing to do with it
            self._seen, self._seen_in = seen, began


def where(frame: FrameType | None) -> tuple[str, ...]:
    """The innermost frames of a stack, from the outermost inwards: file, line and function; none of the loop's own."""
    found: list[str] = []
    while frame is not None and len(found) < FRAMES_TOLD and frame.f_code.co_name != "unrolled_run":
        code = frame.f_code
        file = "/".join(code.co_filename.split("/")[-3:])
        found.append(f"{file}:{frame.f_lineno} {code.co_qualname}")
        frame = frame.f_back
    return tuple(reversed(found))
