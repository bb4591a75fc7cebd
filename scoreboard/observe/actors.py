"""Logs and counts what the actor runtime tells. What clients may cause at will is only counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from actors.runtime import Observer
from scoreboard.observe.logs import Logger
from scoreboard.observe.metrics import Metrics


class Backlog(NamedTuple):
    """What waits in the mailboxes of one name, and how much one of them takes."""

    waiting: int
    capacity: int


class ActorWatch(Observer):
    """Hears of all actors of one server. Their kind is the part of the name before the slash: `user/42` is a `user`."""

    def __init__(self, metrics: Metrics, log: Logger) -> None:
        self._metrics = metrics
        self._log = log
        self._live: set[str] = set()  # a restart activates again without having ended
        self._mailboxes: dict[str, tuple[Callable[[], int], int]] = {}

    @property
    def backlogs(self) -> dict[str, Backlog]:
        """What waits now, by the name of a single actor, or of a directory."""
        return {name: Backlog(waiting(), capacity) for name, (waiting, capacity) in self._mailboxes.items()}

    def opened(self, name: str, waiting: Callable[[], int], capacity: int) -> None:
        """See `Observer`."""
        self._mailboxes[name] = waiting, capacity

    def activated(self, name: str) -> None:
        """See `Observer`."""
        if name not in self._live:
            self._live.add(name)
            self._metrics.actor_began(kind_of(name))

    def ended(self, name: str) -> None:
        """See `Observer`."""
        if name in self._live:
            self._live.remove(name)
            self._metrics.actor_ended(kind_of(name))

    def crashed(self, name: str, error: BaseException, delay_s: float | None) -> None:
        """See `Observer`."""
        self._metrics.actor_crashed(kind_of(name))
        self._log.error("actor_crashed", actor=name, restarts_in_s=delay_s, exc_info=error)

    def mailbox_full(self, name: str) -> None:
        """See `Observer`."""
        self._metrics.mailbox_full(kind_of(name))

    def expired(self, name: str) -> None:
        """See `Observer`."""
        self._metrics.message_dropped(kind_of(name), "expired")

    def dropped(self, name: str) -> None:
        """See `Observer`."""
        self._metrics.message_dropped(kind_of(name), "stopped")

    def stop_timed_out(self, name: str) -> None:
        """See `Observer`."""
        self._log.warning("actor_stop_timed_out", actor=name)


def kind_of(name: str) -> str:
    """The directory that an actor belongs to, or the name of a single one."""
    return name.partition("/")[0]
