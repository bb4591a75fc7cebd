"""What is spread over time for each of many, as a leaky bucket does it: pure arithmetic that door and live share."""

from __future__ import annotations

#: At first so many keys are remembered before those whose bucket is empty are forgotten.
_SWEEP = 256


class LeakyBuckets:
    """A bucket for each key, which is an address or what stands for one. Synchronous, and knows no clock.

    Whatever a key asks for comes in the order in which it was asked for, evenly spread, after a burst.

    Args:
        per_s: So much of each key in the long run, above 0; infinite spreads nothing.
        burst: So much at once, saved up while nothing is asked for.
    """

    def __init__(self, per_s: float, burst: float) -> None:
        self._per_s = per_s
        self._burst = burst
        self._free_at: dict[str, float] = {}  # when all that was asked for has come, and the burst is saved up
        self._sweep_at = _SWEEP

    def __len__(self) -> int:
        return len(self._free_at)

    def wait_for(self, key: str, amount: float, now: float, within_s: float) -> float:
        """So much more is asked for at `now`, in seconds: seconds to wait before it comes.

        Where that would be longer than `within_s` it does not come, and counts for nothing.
        """
        free_at = max(self._free_at.get(key, now), now) + amount / self._per_s
        wait_s = max(0.0, free_at - now - self._burst / self._per_s)
        if wait_s <= within_s:
            self._free_at[key] = free_at
            self._forget_empty(now)
        return wait_s

    def _forget_empty(self, now: float) -> None:
        if len(self._free_at) > self._sweep_at:
            self._free_at = {key: free_at for key, free_at in self._free_at.items() if free_at > now}
            self._sweep_at = max(_SWEEP, 2 * len(self._free_at))
