"""Where the runtime tells what happened, for logs and counters. Every method may be called from any actor's task."""

from __future__ import annotations

from collections.abc import Callable


class Observer:
    """Hears of everything and does nothing; subclasses log or count. A method must neither wait nor raise."""

    def opened(self, name: str, waiting: Callable[[], int], capacity: int) -> None:
        """There is a mailbox of that name, or those of a directory of that name, each with that bound.

        `waiting` tells how many messages wait in it, in all of them together, whenever it is asked.
        """

    def activated(self, name: str) -> None:
        """An incarnation begins."""

    def ended(self, name: str) -> None:
        """An actor has gone: it was stopped, was idle, or was given up."""

    def crashed(self, name: str, error: BaseException, delay_s: float | None) -> None:
        """An incarnation failed; the next begins in `delay_s` seconds, or never when that is None."""

    def mailbox_full(self, name: str) -> None:
        """A message was not taken because the mailbox was full."""

    def expired(self, name: str) -> None:
        """A message was dropped unbegun, because its deadline had passed or its asker had gone."""

    def dropped(self, name: str) -> None:
        """A message without an asker was dropped unbegun, because the actor was stopped or given up."""

    def stop_timed_out(self, name: str) -> None:
        """An actor's `stopped` hook did not end in time and was cut off."""
