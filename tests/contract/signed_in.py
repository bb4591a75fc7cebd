"""Players who are signed in, and whose sessions end."""

from __future__ import annotations

from actors.ports import SessionId, UserId
from tests.contract.making import World, session, token_hash

#: The refresh token of a session, and its successor.
FIRST, SECOND = token_hash(1), token_hash(2)


async def signed_in(world: World, name: str = "Ann") -> tuple[UserId, SessionId]:
    """A player with a session whose refresh token is `FIRST`."""
    player = await world.player(name)
    opened = session(player, FIRST)
    await world.accounts.open_session(opened)
    return player, opened.session_id


async def ended(world: World) -> list[str]:
    """The sessions whose end was announced."""
    return [each.about for each in (await world.announcements.since(3600)).announcements]
