"""What may happen a thousand times a second, and is worth a line of the log when it begins."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Hashable
from typing import Any

AGAIN_S = 60.0


class Notices:
    """Says the first of a kind at once, and then how many there were, at most once in `again_s`.

    Args:
        now_s: A clock that only goes on.
        again_s: From one line of a kind to the next.
    """

    def __init__(self, now_s: Callable[[], float] = time.monotonic, again_s: float = AGAIN_S) -> None:
        self._now_s = now_s
        self._again_s = again_s
        self._due: dict[Hashable, float] = {}
        self._times: Counter[Hashable] = Counter()

    def __repr__(self) -> str:
        return f"<Notices of {len(self._due)} kinds, {self._times.total()} not told>"

    def note(self, kind: Hashable, say: Callable[..., Any], event: str, **fields: Any) -> None:
        """One more of that kind; `times` in a line counts those since the line before, this one included.

        Kinds are kept for ever: there must be few.
        """
        self._times[kind] += 1
        now = self._now_s()
        if now < self._due.get(kind, now):
            return
        self._due[kind] = now + self._again_s
        say(event, **fields, times=self._times.pop(kind))
