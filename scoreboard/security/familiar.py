"""From where each player has signed in before. Synchronous; of so many, who did so longest ago is forgotten first."""

from __future__ import annotations

import hmac
from collections import OrderedDict
from collections.abc import Iterable
from itertools import islice

#: So many pairs of an address and an account are remembered, here and for all workers: some ten megabytes.
MOST = 100_000
#: So many are told to the others at once.
TOLD_AT_ONCE = 500


class Familiar:
    """Knows pairs of a place and an account by marks made with a secret, which tell nothing of either.

    It is asked in the same way for accounts that there are and for names that nobody has.
    """

    def __init__(self, key: bytes, most: int = MOST) -> None:
        self._key = key
        self._most = most
        self._marks: OrderedDict[str, None] = OrderedDict()  # who signed in last stands last
        self._untold: OrderedDict[str, None] = OrderedDict()

    def __repr__(self) -> str:
        return f"<Familiar, {len(self._marks)} pairs, {len(self._untold)} untold>"

    def mark(self, site: str, account: str) -> str:
        """The name of a pair."""
        return hmac.digest(self._key, f"signed in from {site}\n{account}".encode(), "sha256").hex()[:32]

    def known(self, site: str, account: str) -> str | None:
        """The mark of this pair, if that account has been signed in to from there."""
        mark = self.mark(site, account)
        return mark if mark in self._marks else None

    def signed_in(self, site: str, account: str) -> None:
        """Somebody who knows the password did, just now."""
        mark = self.mark(site, account)
        self.heard([mark])
        _put(self._untold, mark, self._most)

    def heard(self, marks: Iterable[str]) -> None:
        """Others know of these, the oldest first."""
        for mark in marks:
            _put(self._marks, mark, self._most)

    def untold(self) -> list[str]:
        """What the others have not been told; it stays so until they are `told`."""
        return list(islice(self._untold, TOLD_AT_ONCE))

    def told(self, marks: Iterable[str]) -> None:
        """They have been."""
        for mark in marks:
            self._untold.pop(mark, None)


def _put(marks: OrderedDict[str, None], mark: str, most: int) -> None:
    marks[mark] = None
    marks.move_to_end(mark)
    if len(marks) > most:
        marks.popitem(last=False)
