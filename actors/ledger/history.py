"""Which history of the store a worker goes by: another one begins where the store may have lost its last commits."""

from __future__ import annotations

import math

#: What was committed in the history before, and is still on its way, has come after so many seconds: more than a call
#: to a store, and another to Redis, may take.
SETTLE_S = 30.0


class History:
    """Outlives the actors that go by it. `name` is the store's word for it, empty as long as nothing has been seen."""

    __slots__ = ("name", "settled_at")

    def __init__(self) -> None:
        self.name = ""
        self.settled_at = -math.inf  # by Trio's clock

    def __repr__(self) -> str:
        return f"<History {self.name!r}>"

    def __call__(self) -> str:
        """Its name."""
        return self.name

    def goes_on(self, name: str) -> bool:
        """Whether this is the same. A store that does not say which is taken at its word before."""
        return not (name and self.name) or name == self.name

    def enter(self, name: str, now: float) -> bool:
        """This is what is seen now. True if it is another than before, of which something may still be on its way."""
        same = self.goes_on(name)
        self.name = name or self.name
        if not same:
            self.settled_at = now + SETTLE_S
        return not same

    def is_settled(self, now: float) -> bool:
        """Whether nothing can come any more of what was committed in the history before."""
        return now >= self.settled_at
