"""Telling an actor's own failure from what merely passes through it."""

from __future__ import annotations


def split_fault(caught: BaseException) -> tuple[Exception | None, BaseException | None]:
    """Split what was caught into ordinary failures and the rest (a cancellation, an interrupt); either may be None.

    A nursery may raise several errors and a cancellation as one group: none of them may be lost.
    """
    if isinstance(caught, Exception):
        return caught, None
    if isinstance(caught, BaseExceptionGroup):
        return caught.split(Exception)
    return None, caught
