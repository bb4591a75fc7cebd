"""How a new socket learns who we are: by a ticket in its address, or by its first message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from scoreboard.client.account import Account
from scoreboard.client.errors import LineLost, NoAnswer, ScoreboardError, is_later
from scoreboard.client.requests import Requests

HTTP_UNAUTHORIZED = 401
NO_TICKETS = (404, 405)
SOCKET = "/ws/leaderboard"


@dataclass(frozen=True, slots=True)
class Entry:
    """The address of the socket, and the token to say first, if one must be said."""

    path: str = SOCKET
    signed_in: bool = False
    token: str | None = None


class Entrance:
    """Gets tickets; remembers when the server has none.

    Args:
        account: Who is signed in, if anybody.
        requests: The way to REST.
        signed_out: Called when the sign-in is refused for good; one goes on as a spectator.
    """

    def __init__(self, account: Account, requests: Requests, signed_out: Callable[[ScoreboardError], None]) -> None:
        self._account = account
        self._requests = requests
        self._signed_out = signed_out
        self._has_tickets = True

    def __repr__(self) -> str:
        return f"<Entrance {'with' if self._has_tickets else 'without'} tickets>"

    async def entry(self) -> Entry:
        """For the next socket; raises LineLost when it cannot be had now."""
        if not self._account.signed_in:
            return Entry()
        try:
            return await self._for_player()
        except NoAnswer as failure:
            raise LineLost from failure
        except ScoreboardError as refusal:
            if is_later(refusal):
                raise LineLost(retry_after_s=refusal.retry_after_s) from refusal
            self._signed_out(refusal)
            return Entry()

    async def _for_player(self) -> Entry:
        access = await self._account.access()
        if not self._has_tickets:
            return Entry(token=access)
        answer = await self._requests.ask("POST", "/api/v1/live/ticket", access, None)
        if answer.status == HTTP_UNAUTHORIZED:
            access = await self._account.renew()
            answer = await self._requests.ask("POST", "/api/v1/live/ticket", access, None)
        if answer.ok:
            return Entry(f"{SOCKET}?ticket={quote(answer.body['data']['ticket'], safe='')}", signed_in=True)
        self._has_tickets = answer.status not in NO_TICKETS
        if self._has_tickets:
            raise answer.error()
        return Entry(token=access)
