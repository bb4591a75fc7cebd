"""The way to one client, and what is spoken on it, as a connection's actor needs them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from actors.connection.events import PersonalEvent
from actors.leaderboard.messages import Dialect, Send


class Transport(Protocol):
    """The way to one client. All bytes go out in the order in which they were taken."""

    @property
    def direct(self) -> Send | None:
        """Writes at once what fits of ready frames, without a look at anything else; None while that may not be.

        It may be used, also later, until `when_busy`'s function is called.
        """
        ...

    def when_busy(self, busy: Callable[[], None]) -> None:
        """Call this whenever bytes are left that somebody has to wait for (`drained`), or nothing more may be sent."""
        ...

    def finish(self, rest: bytes) -> None:
        """Send these before all else: the rest of frames of which `direct` took the beginning."""
        ...

    def write_now(self, frames: bytes) -> bool:
        """Take ready frames if nothing else is on its way; False, and nothing is taken, when the client is behind."""
        ...

    async def drained(self) -> None:
        """Wait until everything taken has left and the client can take more."""
        ...

    async def send(self, frames: bytes) -> None:
        """Send ready frames after everything taken before; waits."""
        ...

    def trust(self) -> None:
        """The client has said who it is: it may send faster from now on."""
        ...

    def dismiss(self, code: int, reason: str) -> None:
        """The talk ends now, and this is why; what was taken still goes out."""
        ...


class ConnectionDialect(Dialect, Protocol):
    """A wire format that also knows what is said to one client alone."""

    def personal(self, event: PersonalEvent) -> bytes:
        """One event as a ready frame."""
        ...
