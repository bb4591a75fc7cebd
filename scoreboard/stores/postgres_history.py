"""Which history Postgres goes on with: a timeline, and the name that was given to it by who first looked at it."""

from __future__ import annotations

import asyncpg

from scoreboard.stores.postgres_claims import TIMELINE

KNOWN = f"SELECT t.timeline, h.name::text FROM ({TIMELINE} AS timeline) t LEFT JOIN histories h USING (timeline)"  # noqa: S608
#: Of two that are the first, one gives the name and the other hears it.
GIVE_NAME = """
INSERT INTO histories (timeline) VALUES ($1)
ON CONFLICT (timeline) DO UPDATE SET timeline = excluded.timeline RETURNING name::text
"""

#: Servers that only speak like Postgres may not say on which timeline they are.
NOT_TOLD = (asyncpg.UndefinedFunctionError, asyncpg.FeatureNotSupportedError, asyncpg.InsufficientPrivilegeError)


class Histories:
    """Asks for it, as long as the server says."""

    def __init__(self) -> None:
        self._are_told = True

    def __repr__(self) -> str:
        return f"<Histories, {'told' if self._are_told else 'not told'}>"

    async def name(self, connection: asyncpg.Connection) -> str:
        """The present one, empty if the server does not say.

        To be asked each time: a proxy may keep a session while the server behind it is another.
        """
        if not self._are_told:
            return ""
        try:
            timeline, name = await connection.fetchrow(KNOWN)
        except NOT_TOLD:
            self._are_told = False
            return ""
        return f"{timeline}-{name or await connection.fetchval(GIVE_NAME, timeline)}"
