"""Keeps a queue that everybody shares from being filled by one of them. Synchronous."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager


class Shares:
    """Counts who is inside, under any names that one goes by (an address, an account).

    Args:
        most: So many may be inside under one name.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._inside: Counter[str] = Counter()

    def __repr__(self) -> str:
        return f"<Shares of {self._most}, {len(self._inside)} names>"

    def has_room(self, names: Sequence[str]) -> bool:
        """Whether one more may come in under all of these names."""
        return all(self._inside[name] < self._most for name in names)

    @contextmanager
    def taken(self, names: Sequence[str]) -> Generator[None]:
        """Be inside under these names for as long as the body runs."""
        self._inside.update(names)
        try:
            yield
        finally:
            for name in names:
                self._inside[name] -= 1
                if not self._inside[name]:
                    del self._inside[name]
