"""The sessions whose access tokens are refused although they have not expired."""

from __future__ import annotations

import time
from collections.abc import Callable


class RevokedSessions:
    """Ended sessions, each kept for as long as a token of it could still be in time, then forgotten by itself.

    `keep_s` is the lifetime of an access token: a session that has ended gets no new ones. It is kept until both clocks
    say that so much has passed, the one on the wall (`now_us`) and one that nobody sets (`steady_s`): where the former
    is ahead for a while, tokens that it takes for expired are in time again afterwards. After a restart the set is
    filled again from the store.
    """

    def __init__(
        self, *, keep_s: float, now_us: Callable[[], int], steady_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._keep_s = keep_s
        self._now_us, self._steady_s = now_us, steady_s
        self._followers: list[Callable[[str], None]] = []
        # Until when by each clock; in order of ending, so the oldest stands first.
        self._until: dict[str, tuple[float, float]] = {}

    def __repr__(self) -> str:
        return f"<RevokedSessions {len(self._until)}>"

    def __len__(self) -> int:
        return len(self._until)

    def __contains__(self, session_id: object) -> bool:
        return session_id in self._until

    def add(self, session_id: str) -> None:
        """Refuse the tokens of this session from now on. Adding it again changes nothing but the time it is kept."""
        now_s, steady_s = self._now_us() / 1_000_000, self._steady_s()
        self._forget(now_s, steady_s)
        self._until.pop(session_id, None)
        self._until[session_id] = now_s + self._keep_s, steady_s + self._keep_s
        for follower in self._followers:
            follower(session_id)

    def follow(self, follower: Callable[[str], None]) -> None:
        """Call this with each session that ends from now on."""
        self._followers.append(follower)

    def _forget(self, now_s: float, steady_s: float) -> None:
        while self._until:
            oldest, (wall_s, until_s) = next(iter(self._until.items()))
            if wall_s > now_s or until_s > steady_s:
                return
            del self._until[oldest]
