"""What connections need from outside."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from actors.connection.events import ErrorEvent, SignedIn
from actors.connection.scoring import ScoringWorld
from actors.connection.signins import SignIns
from actors.runtime import Directory


async def no_tickets(_: str) -> SignedIn | ErrorEvent:
    """Where none are handed out, none are taken."""
    return ErrorEvent("UNAUTHORIZED", "There are no tickets here.")


@dataclass(frozen=True, slots=True)
class ConnectionWorld:
    """Handed to all connections.

    `who` judges an access token: who it is, or why not; `redeem` a ticket, which is used up by it. `signins` hears
    who has signed in, and says when that ends.
    """

    audiences: Directory[str]
    who: Callable[[str], Awaitable[SignedIn | ErrorEvent]]
    sent: Callable[[], None]
    skipped: Callable[[], None]
    scoring: ScoringWorld
    within_s: float = 10.0
    redeem: Callable[[str], Awaitable[SignedIn | ErrorEvent]] = no_tickets
    signins: SignIns = field(default_factory=SignIns)
