"""Why something that an operator wants for the watch on fraud cannot be had."""

from __future__ import annotations


class WatchError(Exception):
    """The sentence says what is missing, and what to do."""


class LearnerMissing(WatchError):
    """The library is not installed."""


class CountriesUnreadable(WatchError):
    """The database of addresses is not there, or is none."""
