"""`POST /api/v1/live/ticket`: a ticket for the live feed, for pages that cannot send a header there."""

from __future__ import annotations

from scoreboard.api.answer import Answer, json_answer
from scoreboard.api.request import ApiRequest
from scoreboard.api.world import ApiWorld

PATH = "/api/v1/live/ticket"


class TicketRoute:
    """Hands tickets out to who has signed in."""

    def __init__(self, world: ApiWorld) -> None:
        self._world = world

    async def issue(self, request: ApiRequest) -> Answer:
        """One ticket, good once and for half a minute."""
        ticket = self._world.tickets.issue(request.caller)
        data = {"ticket": ticket.text, "expiresIn": ticket.expires_in_s}
        return json_answer({"success": True, "data": data})
