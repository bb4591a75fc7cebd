"""A sampling profiler for a single-threaded server: a stack for every few milliseconds of processor time.

Nothing is traced, so what is measured is hardly slowed down, and calls into C count where they were made. A stack
weighs as much processor time as passed since the last one, because a long call into C lets no sample through.
"""

from __future__ import annotations

import gc
import signal
import time
from collections import Counter
from pathlib import Path
from types import FrameType

INTERVAL_S = 0.002  # the kernel rounds it up to its own tick, mostly 4 ms


class Sampler:
    """Weighs stacks between `start` and `stop`; `write` saves them folded, as flame graph tools read them."""

    def __init__(self) -> None:
        self.stacks: Counter[tuple[str, ...]] = Counter()
        self._last_ns = 0

    def start(self) -> None:
        """Sample from now on, in the main thread."""
        signal.signal(signal.SIGPROF, self._sample)
        signal.siginterrupt(signal.SIGPROF, False)
        gc.callbacks.append(_collector)
        self._last_ns = time.process_time_ns()
        signal.setitimer(signal.ITIMER_PROF, INTERVAL_S, INTERVAL_S)

    def stop(self) -> None:
        """Sample no more."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        gc.callbacks.remove(_collector)

    def write(self, path: Path) -> None:
        """Lines of a stack, its frames from the outermost inwards joined by ";", and its microseconds."""
        path.write_text("".join(f"{';'.join(stack)} {ns // 1000}\n" for stack, ns in self.stacks.most_common()))

    def _sample(self, _number: int, frame: FrameType | None) -> None:
        now_ns = time.process_time_ns()
        stack = []
        while frame is not None:
            code = frame.f_code
            stack.append(f"{code.co_filename}:{code.co_qualname}:{frame.f_lineno}")
            frame = frame.f_back
        self.stacks[tuple(reversed(stack))] += now_ns - self._last_ns
        self._last_ns = now_ns


def _collector(_phase: str, _info: dict[str, int]) -> None:
    """Called behind each garbage collection: the first Python code that can be seen of it."""
