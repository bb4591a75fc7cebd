"""Windows by key, in bounded memory. Pure: seconds come from whoever asks, of a clock that only goes on."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from actors.ports import Quota, Taken

MOST_DOUBLINGS = 20


@dataclass(slots=True)
class _Window:
    """One window; `strikes` are those in a row in which too many came, forgotten at `forgiven_at`."""

    used: int = 0
    ends_at: float = 0.0
    strikes: int = 0
    forgiven_at: float = 0.0
    exceeded: bool = False


class Windows:
    """Counts under at most `most` keys; beyond that the one that was quiet for longest is forgotten, and counted."""

    def __init__(self, most: int = 100_000) -> None:
        self._most = most
        self._windows: OrderedDict[str, _Window] = OrderedDict()
        self.forgotten = 0

    def __repr__(self) -> str:
        return f"<Windows of {len(self._windows)} keys>"

    def take(self, key: str, quota: Quota, now_s: float) -> Taken:
        """Use one."""
        window = self._window(key)
        if now_s >= window.ends_at:
            self._open(window, quota, now_s)
        window.used += 1
        if window.used > quota.count and not window.exceeded:
            self._strike(window, quota)
        left = max(0, quota.count - window.used)
        return Taken(quota.count, left, window.ends_at - now_s, window.used <= quota.count)

    def learn(self, key: str, taken: Taken, now_s: float) -> None:
        """What is so over all workers: what the others have allowed counts here too, and ends when it does there."""
        window = self._window(key)
        window.used = max(window.used, taken.limit - taken.remaining + (not taken.allowed))
        window.ends_at = now_s + taken.reset_s
        window.exceeded = window.exceeded or not taken.allowed

    def _open(self, window: _Window, quota: Quota, now_s: float) -> None:
        window.used, window.ends_at, window.exceeded = 0, now_s + quota.period_s, False
        if now_s >= window.forgiven_at:
            window.strikes = 0

    def _strike(self, window: _Window, quota: Quota) -> None:
        closed_s = min(quota.period_s * 2 ** min(window.strikes, MOST_DOUBLINGS), quota.most_s)
        window.exceeded = True
        window.strikes += 1
        window.ends_at += max(0.0, closed_s - quota.period_s)
        window.forgiven_at = window.ends_at + quota.forgiven_s

    def _window(self, key: str) -> _Window:
        window = self._windows.get(key)
        if window is not None:
            self._windows.move_to_end(key)
            return window
        if len(self._windows) >= self._most:
            self._windows.popitem(last=False)
            self.forgotten += 1
        window = self._windows[key] = _Window()
        return window
