"""What the client asks of the network. The real one is in ``network``; a script plays another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import trio

from scoreboard.client.errors import SERVER_ERROR, ScoreboardError, seconds

FIRST_REFUSAL = 300


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of REST: headers by lower-case name, the body parsed, None if it is not JSON."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None

    @property
    def ok(self) -> bool:
        """Whether it is a success."""
        return self.status < FIRST_REFUSAL

    @property
    def retry_after_s(self) -> float | None:
        """How long it asks to wait, by its body or its header."""
        told = self._told()
        return seconds(told.get("retryAfter", self.headers.get("retry-after")))

    def error(self) -> ScoreboardError:
        """The error that it tells, in either dialect of REST."""
        told = self._told()
        fallback = "SERVICE_UNAVAILABLE" if self.status >= SERVER_ERROR else "UNEXPECTED_ANSWER"
        said = str(told.get("message", f"The server answered {self.status}."))
        code = str(told.get("code", fallback))
        return ScoreboardError(code, said, retry_after_s=self.retry_after_s, status=self.status)

    def _told(self) -> Mapping[str, Any]:
        body = self.body if isinstance(self.body, dict) else {}
        error = body.get("error")
        return error if isinstance(error, dict) else body


class Socket(Protocol):
    """An open WebSocket of text messages."""

    async def send(self, text: str) -> None:
        """Send a message; raises LineLost."""

    async def receive(self) -> str:
        """The next message; raises LineLost with the close code. May be cancelled without losing a message."""

    async def aclose(self) -> None:
        """Close it; bounded in time, never raises."""


class Transport(Protocol):
    """The way to one server; paths begin with a slash."""

    async def open_socket(self, nursery: trio.Nursery, path: str) -> Socket:
        """Open a WebSocket, whose work is done in `nursery`; raises LineLost."""

    async def request(
        self, method: str, path: str, *, headers: Mapping[str, str], body: Mapping[str, Any] | None, within: float
    ) -> Answer:
        """Ask; raises NoAnswer after `within` seconds, or when there is no connection."""
