"""Who a client is that proves it before it has said anything."""

from __future__ import annotations

from actors.connection.connection import ConnectionWorld
from actors.connection.events import ErrorEvent, SignedIn


async def proven(world: ConnectionWorld, token: str | None, ticket: str | None) -> SignedIn | ErrorEvent | None:
    """By its token or its ticket; None for a spectator, who has neither."""
    if token is not None:
        return await world.who(token)
    return None if ticket is None else await world.redeem(ticket)
