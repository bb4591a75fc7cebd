"""A request as the routes see it."""

from __future__ import annotations

from typing import Any

from quart_trio.wrappers import TrioRequest

from actors.ports import Origin
from scoreboard.wire.origin import origin_of

#: The label of requests that no route wanted.
UNMATCHED = "unmatched"


class ApiRequest(TrioRequest):
    """Quart's request together with its whole body, which was read within bounds before any route runs."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.raw_body = b""
        self.request_id = ""
        self.route = UNMATCHED
        self.user_id: str | None = None

    def header_values(self, name: bytes) -> list[str]:
        """All values of a header (its name in lower case), as they came.

        Quart's own look-up takes as long for an absent header as routing does.
        """
        return [value.decode("latin1") for key, value in self.scope["headers"] if key.lower() == name]

    def header(self, name: bytes) -> str | None:
        """The first value of a header."""
        values = self.header_values(name)
        return values[0] if values else None

    def came_from(self) -> Origin:
        """Where the request came from, for the audit. The address is the peer's: no header is believed."""
        return origin_of(self.scope.get("client"), self.header(b"user-agent"))
