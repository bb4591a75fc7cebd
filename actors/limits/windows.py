"""Windows by key, in bounded memory. Pure: seconds come from whoever asks, of a clock that only goes on."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from actors.ports import Quota, Taken, Wanted

MOST_DOUBLINGS = 20


@dataclass(slots=True)
class _Window:
    """One window; `strikes` are those in a row in which too many came, forgotten at `forgiven_at`.

    Of what was used the others have not heard of `untold`, the first of it since `since`; nor that somebody was
    `refused`.
    """

    quota: Quota
    used: int = 0
    opened_at: float = -math.inf
    ends_at: float = -math.inf
    strikes: int = 0
    forgiven_at: float = 0.0
    exceeded: bool = False
    untold: int = 0
    since: float = 0.0
    refused: bool = False


class Windows:
    """Counts under at most `most` keys; beyond that the one that was quiet for longest is forgotten, and counted.

    `fresh` is set when there is something to tell where there was nothing; whoever sees to that clears it.
    """

    def __init__(self, most: int = 100_000) -> None:
        self._most = most
        self._windows: OrderedDict[str, _Window] = OrderedDict()
        self._untold: dict[str, None] = {}
        self.forgotten = 0
        self.fresh = False

    def __repr__(self) -> str:
        return f"<Windows of {self.size} keys, {len(self._untold)} untold>"

    @property
    def size(self) -> int:
        """How many keys it counts under."""
        return len(self._windows)

    def take(self, key: str, quota: Quota, now_s: float, *, told: bool = False) -> Taken:
        """Use one, if there is one. With `told` the others hear of it in another way."""
        window = self._now(key, quota, now_s)
        if window.used < quota.count:
            window.used += 1
            if not told:
                self._note(key, window, now_s)
                window.untold += 1
            return Taken(quota.count, quota.count - window.used, window.ends_at - now_s, True)
        if not window.exceeded:
            self._strike(window)
            self._note(key, window, now_s)
            window.refused = True
        return Taken(quota.count, 0, window.ends_at - now_s, False)

    def take_many(self, key: str, quota: Quota, count: int, now_s: float) -> Taken:
        """Use so many, or none. To be refused is no violation here: there may be room for fewer."""
        window = self._now(key, quota, now_s)
        allowed = window.used + count <= quota.count
        if allowed and count:
            self._note(key, window, now_s)
            window.used += count
            window.untold += count
        return Taken(quota.count, max(0, quota.count - window.used), window.ends_at - now_s, allowed)

    def look(self, key: str, quota: Quota, now_s: float) -> Taken:
        """What is left, without using it."""
        window = self._windows.get(key)
        if window is None or now_s >= window.ends_at:
            return Taken(quota.count, quota.count, quota.period_s, allowed=True)
        left = max(0, quota.count - window.used)
        return Taken(quota.count, left, window.ends_at - now_s, left > 0)

    # --- what the others must hear, and what they say ---

    @property
    def news(self) -> bool:
        """Whether there is something that the others have not heard of."""
        return bool(self._untold)

    def untold(self, now_s: float, most: int) -> list[Wanted]:
        """What they have not heard of, up to so many keys, the oldest first; from now on they have."""
        told = []
        for key in list(islice(self._untold, most)):
            del self._untold[key]
            window = self._windows[key]
            if now_s < window.ends_at and (window.untold or window.refused):
                told.append(Wanted(key, window.quota, window.untold, window.refused, now_s - window.since))
            window.untold, window.refused = 0, False
        return told

    def tell_again(self, told: Iterable[Wanted], told_at: float) -> None:
        """They have not heard of these after all."""
        for each in told:
            window = self._windows.get(each.key)
            if window is not None and window.opened_at <= told_at:
                self._note(each.key, window, told_at)
                window.since = min(window.since, told_at - each.ago_s)
                window.untold += each.count
                window.refused = window.refused or each.refused

    def learn(self, key: str, taken: Taken, now_s: float, told_at: float) -> None:
        """What is so over all workers, as of what was told then: it counts here too, and ends when it does there."""
        window = self._windows.get(key)
        if window is None or window.opened_at > told_at:
            return
        used = taken.limit - taken.remaining + (not taken.allowed)
        window.used = max(window.used, used + window.untold)
        ends_at = now_s + taken.reset_s
        window.ends_at = max(window.ends_at, ends_at) if window.exceeded else ends_at
        if not (taken.allowed or window.exceeded):
            window.exceeded = True
            window.strikes += 1
        if window.exceeded:
            window.forgiven_at = max(window.forgiven_at, window.ends_at + window.quota.forgiven_s)

    # --- one window ---

    def _now(self, key: str, quota: Quota, now_s: float) -> _Window:
        """The one that counts now."""
        window = self._windows.get(key)
        if window is None:
            window = self._begin(key, quota)
        else:
            self._windows.move_to_end(key)
            window.quota = quota
        if now_s >= window.ends_at:
            self._open(window, now_s)
        return window

    def _open(self, window: _Window, now_s: float) -> None:
        window.used, window.untold, window.refused, window.exceeded = 0, 0, False, False
        window.opened_at, window.ends_at = now_s, now_s + window.quota.period_s
        if now_s >= window.forgiven_at:
            window.strikes = 0

    def _strike(self, window: _Window) -> None:
        quota = window.quota
        closed_s = min(quota.period_s * 2 ** min(window.strikes, MOST_DOUBLINGS), quota.most_s)
        window.exceeded = True
        window.strikes += 1
        window.ends_at += max(0.0, closed_s - quota.period_s)
        window.forgiven_at = window.ends_at + quota.forgiven_s

    def _note(self, key: str, window: _Window, now_s: float) -> None:
        if not (window.untold or window.refused):
            window.since = now_s
            self.fresh = self.fresh or not self._untold
            self._untold[key] = None

    def _begin(self, key: str, quota: Quota) -> _Window:
        if len(self._windows) >= self._most:
            gone, _ = self._windows.popitem(last=False)
            self._untold.pop(gone, None)
            self.forgotten += 1
        window = self._windows[key] = _Window(quota)
        return window
