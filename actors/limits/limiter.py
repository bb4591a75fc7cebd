"""Allows at once what this worker may allow, and sees to it that the others hear of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import trio

from actors.limits.messages import Share
from actors.limits.windows import Windows
from actors.ports import Quota, Taken
from actors.runtime import ActorError, Ref


class Limiter:
    """`Limits` and `RowLimits` on windows in memory.

    Args:
        windows: Those that the actor shares.
        sharing: That actor; it is told when there is something to share, once until it has done so.
        now_s: A clock that only goes on, the actor's own.
    """

    __slots__ = ("_now_s", "_sharing", "_windows")

    def __init__(self, windows: Windows, sharing: Ref, now_s: Callable[[], float] = trio.current_time) -> None:
        self._windows = windows
        self._sharing = sharing
        self._now_s = now_s

    def __repr__(self) -> str:
        return f"<Limiter with {self._windows!r}>"

    def take(self, key: str, quota: Quota) -> Taken:
        """See `Limits.take`."""
        taken = self._windows.take(key, quota, self._now_s())
        self._tell()
        return taken

    def take_many(self, key: str, quota: Quota, count: int) -> Taken:
        """See `RowLimits.take_many`."""
        taken = self._windows.take_many(key, quota, count, self._now_s())
        self._tell()
        return taken

    def look(self, key: str, quota: Quota) -> Taken:
        """What is left, without using it."""
        return self._windows.look(key, quota, self._now_s())

    def _tell(self) -> None:
        if self._windows.fresh:
            self._windows.fresh = False
            with suppress(ActorError):  # then it is shared with what comes next
                self._sharing.tell(Share())
