"""How often, and after which pauses, something that failed is tried again."""

from __future__ import annotations

import random
from dataclasses import dataclass

from actors.runtime.errors import GaveUp


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """Exponential pauses up to a cap, spread by `jitter` (a share, both ways), `max_restarts` in `within_s` seconds."""

    first_s: float = 0.1
    factor: float = 2.0
    cap_s: float = 10.0
    jitter: float = 0.2
    max_restarts: int = 5
    within_s: float = 60.0

    def delays(self) -> list[float]:
        """The pauses before each restart of a series, without jitter, in seconds."""
        return [self.delay(n) for n in range(1, self.max_restarts + 1)]

    def delay(self, n: int) -> float:
        """The pause before the n-th restart of a series (from 1), without jitter, in seconds."""
        try:
            return min(self.cap_s, self.first_s * self.factor ** (n - 1))
        except OverflowError:  # a policy may allow thousands of restarts
            return self.cap_s


class RestartHistory:
    """The recent failures of one thing, and what follows from them."""

    def __init__(self, name: str, policy: RestartPolicy, rng: random.Random) -> None:
        self._name = name
        self._policy = policy
        self._rng = rng
        self._failures: list[tuple[float, Exception]] = []

    def after(self, error: Exception, now: float) -> float:
        """Note a failure at time `now`; returns the pause in seconds before the next try.

        Raises:
            GaveUp: there were more failures than the policy allows; it holds all that count.
        """
        horizon = now - self._policy.within_s
        self._failures = [(at, old) for at, old in self._failures if at > horizon]
        self._failures.append((now, error))
        count = len(self._failures)
        if count > self._policy.max_restarts:
            text = f"{self._name} failed {count} times within {self._policy.within_s:g} s"
            raise GaveUp(text, [old for _, old in self._failures])
        spread = 1 + self._policy.jitter * self._rng.uniform(-1, 1)
        return self._policy.delay(count) * spread
