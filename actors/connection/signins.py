"""Who has signed in on this node, and until when: one task looks after all of them."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Protocol

import trio

from actors.connection.events import SignedIn

#: So often it is looked whose time has come.
LOOK_S = 1.0
#: So many are told before others get a turn.
SLICE = 100

EXPIRED = (
    "TOKEN_EXPIRED",
    "The access token has expired. Send authenticate with a new one; where nothing can be sent, connect anew.",
)
REVOKED = ("TOKEN_REVOKED", "The session of this access token has ended. Sign in again.")
#: How whoever judges sign-ins calls one whose session has ended.
REVOKED_CODE = "ACCESS_TOKEN_REVOKED"


class Holder(Protocol):
    """One connection. Nothing here waits or raises."""

    def sign_out(self, code: str, message: str) -> None:
        """From now on it is a spectator's; the client is told why."""
        ...

    def dismiss(self, code: str, message: str) -> None:
        """It ends; the client is told why."""
        ...


class SignIns:
    """Synchronous, but for `watch`. A sign-in without an end (second 0) does not expire."""

    def __init__(self) -> None:
        self._by_session: dict[str, dict[Holder, None]] = {}  # sets that keep their order
        self._by_second: dict[int, dict[Holder, None]] = {}
        self._seconds: list[int] = []  # a heap of those there ever were, until they have passed

    def __repr__(self) -> str:
        return f"<SignIns, {len(self)} in {len(self._by_session)} sessions>"

    def __len__(self) -> int:
        return sum(map(len, self._by_session.values()))

    def add(self, holder: Holder, user: SignedIn) -> None:
        """It has signed in; for who has before, `discard` comes first."""
        self._by_session.setdefault(user.session_id, {})[holder] = None
        if user.expires_s:
            if user.expires_s not in self._by_second:
                heapq.heappush(self._seconds, user.expires_s)
            self._by_second.setdefault(user.expires_s, {})[holder] = None

    def discard(self, holder: Holder, user: SignedIn) -> None:
        """It has gone, or is somebody else now; nothing happens to one who is not here."""
        session = self._by_session.get(user.session_id, {})
        if session.pop(holder, holder) is None and not session:
            del self._by_session[user.session_id]
        self._by_second.get(user.expires_s, {}).pop(holder, None)

    def end_session(self, session_id: str) -> None:
        """End all connections that are in by this session."""
        for holder in tuple(self._by_session.get(session_id, ())):
            holder.dismiss(*REVOKED)

    async def watch(self, now_us: Callable[[], int]) -> None:
        """Sign out whose token has expired; ends by being cancelled."""
        while True:
            await trio.sleep(LOOK_S)
            now_s = now_us() // 1_000_000
            while self._seconds and self._seconds[0] <= now_s:
                await self._expire(heapq.heappop(self._seconds))

    async def _expire(self, second: int) -> None:
        for count, holder in enumerate(tuple(self._by_second.pop(second, ())), 1):
            holder.sign_out(*EXPIRED)
            if count % SLICE == 0:
                await trio.lowlevel.checkpoint()
