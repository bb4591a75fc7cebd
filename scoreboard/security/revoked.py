"""The sessions whose access tokens are refused although they have not expired."""

from __future__ import annotations

from collections.abc import Callable


class RevokedSessions:
    """Ended sessions, each kept for as long as a token of it could still be in time, then forgotten by itself.

    `keep_s` is the lifetime of an access token: a session that has ended gets no new ones. After a restart the set is
    filled again from the store.
    """

    def __init__(self, *, keep_s: float, now_us: Callable[[], int]) -> None:
        self._keep_us = int(keep_s * 1_000_000)
        self._now_us = now_us
        self._followers: list[Callable[[str], None]] = []
        self._until_us: dict[str, int] = {}  # in order of ending, so the oldest stands first

    def __repr__(self) -> str:
        return f"<RevokedSessions {len(self._until_us)}>"

    def __len__(self) -> int:
        return len(self._until_us)

    def __contains__(self, session_id: object) -> bool:
        return session_id in self._until_us

    def add(self, session_id: str) -> None:
        """Refuse the tokens of this session from now on. Adding it again changes nothing but the time it is kept."""
        now_us = self._now_us()
        self._forget(now_us)
        self._until_us.pop(session_id, None)
        self._until_us[session_id] = now_us + self._keep_us
        for follower in self._followers:
            follower(session_id)

    def follow(self, follower: Callable[[str], None]) -> None:
        """Call this with each session that ends from now on."""
        self._followers.append(follower)

    def _forget(self, now_us: int) -> None:
        while self._until_us:
            oldest = next(iter(self._until_us))
            if self._until_us[oldest] > now_us:
                return
            del self._until_us[oldest]
