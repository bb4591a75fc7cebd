"""A request as the routes see it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from actors.ports import Quota, Source, Taken
from scoreboard.wire.source import source_of

#: The label of requests that no route wanted.
UNMATCHED = "unmatched"
NOTHING_ASKED: Mapping[str, Any] = MappingProxyType({})


class ApiRequest:
    """What ASGI says of a request, with its whole body, which was read within bounds before any route runs.

    Quart's own request, with its streams, forms and look-ups, takes as long to make as a route of ours takes to run.
    """

    __slots__ = (
        *("asked", "body", "caller", "key", "method", "path", "query_string", "raw_body", "request_id", "route"),
        *("quotas", "scope", "user_id"),
    )

    def __init__(self, scope: Any, request_id: str) -> None:
        self.scope = scope
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query_string: bytes = scope["query_string"]
        self.raw_body = b""
        self.request_id = request_id
        self.route = UNMATCHED
        self.user_id: str | None = None
        self.quotas: dict[str, tuple[Quota, Taken]] = {}  # what it was counted for, by name
        # What the route's declaration made of it:
        self.asked: Mapping[str, Any] = NOTHING_ASKED
        self.caller: Any = None  # a Caller; None for a spectator who does not say who it is
        self.key: str | None = None
        self.body: Any = None

    def __repr__(self) -> str:
        return f"<ApiRequest {self.request_id}: {self.method} {self.path!a}>"

    def header_values(self, name: bytes) -> list[str]:
        """All values of a header (its name in lower case), as they came."""
        return [value.decode("latin1") for key, value in self.scope["headers"] if key.lower() == name]

    def header(self, name: bytes) -> str | None:
        """The first value of a header."""
        values = self.header_values(name)
        return values[0] if values else None

    def is_of(self, user_id: str) -> bool:
        """Whether it is this player who asks."""
        return self.caller is not None and self.caller.user_id == user_id.lower()

    def came_from(self) -> Source:
        """Where the request came from, for limits and the audit, as the door has found it."""
        return source_of(self.scope.get("client"), self.header(b"user-agent"))
