"""What a store may raise. An adapter raises nothing else; nothing of a driver leaks through."""

from __future__ import annotations


class StoreError(Exception):
    """Root of what a store may raise."""


class StoreUnavailable(StoreError):
    """The store did not do it, and nothing has changed. The same call may be made again later."""


class CommitUnknown(StoreError):
    """The connection was lost while the transaction was being committed: it may stand or not. Ask the same again."""


class StoreFault(StoreError):
    """The store rejects the call itself; nothing changed, and the same call would fail again. A mistake of ours."""
