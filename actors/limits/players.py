"""The limits of players, each as it stands."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import trio

from actors.limits.limiter import Limiter
from actors.limits.messages import LookUp
from actors.limits.standings import Standings
from actors.ports import Quota, Taken, UserId, WallClock
from actors.runtime import ActorError, Ref


class LimitedPlayers:
    """`PlayerLimits` on a limiter.

    Args:
        limiter: Counts; keys are ``<name>:<user id>``.
        standings: What is known of how players stand.
        looking: Looks up who is not known, and is not waited for.
        clock: On the wall: by it restrictions end.
        now_s: A clock that only goes on.
    """

    __slots__ = ("_clock", "_limiter", "_looking", "_now_s", "_standings")

    def __init__(
        self,
        limiter: Limiter,
        standings: Standings,
        looking: Ref,
        clock: WallClock,
        now_s: Callable[[], float] = trio.current_time,
    ) -> None:
        self._limiter = limiter
        self._standings = standings
        self._looking = looking
        self._clock = clock
        self._now_s = now_s

    def __repr__(self) -> str:
        return f"<LimitedPlayers by {self._standings!r}>"

    def take(self, user_id: UserId, name: str, quota: Quota) -> Taken:
        """See `PlayerLimits.take`."""
        if self._standings.ask_for(user_id, self._now_s()):
            with suppress(ActorError):  # then again a little later
                self._looking.tell(LookUp(user_id))
        return self._limiter.take(f"{name}:{user_id}", self._quota(user_id, quota))

    def look(self, user_id: UserId, name: str, quota: Quota) -> Taken:
        """See `PlayerLimits.look`."""
        return self._limiter.look(f"{name}:{user_id}", self._quota(user_id, quota))

    def _quota(self, user_id: UserId, quota: Quota) -> Quota:
        return self._standings.quota(user_id, quota, self._clock.now_us())
