"""A request as the routes see it."""

from __future__ import annotations

import ipaddress
from typing import Any

from quart_trio.wrappers import TrioRequest

from actors.ports import Origin

#: The label of requests that no route wanted.
UNMATCHED = "unmatched"
LONGEST_USER_AGENT = 512


class ApiRequest(TrioRequest):
    """Quart's request together with its whole body, which was read within bounds before any route runs."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.raw_body = b""
        self.request_id = ""
        self.route = UNMATCHED
        self.user_id: str | None = None

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        return self.headers.get(name)

    def came_from(self) -> Origin:
        """Where the request came from, for the audit. The address is the peer's: no header is believed."""
        agent = self.headers.get("User-Agent")
        return Origin(peer_address(self.scope.get("client")), agent[:LONGEST_USER_AGENT] if agent else None)


def peer_address(client: Any) -> str | None:
    """The address of the other end as text that a database takes, or None if there is none (a local socket)."""
    try:
        return str(ipaddress.ip_address(client[0].partition("%")[0]))
    except (TypeError, IndexError, AttributeError, ValueError):
        return None
