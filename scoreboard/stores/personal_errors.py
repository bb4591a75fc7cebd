"""What may go wrong with the keys of persons; without a driver, for who only names it."""

from __future__ import annotations

from actors.ports import StoreUnavailable


class KeyDoesNotOpen(StoreUnavailable):
    """The folder of keys has not the master key that wraps it, or the row was changed."""
