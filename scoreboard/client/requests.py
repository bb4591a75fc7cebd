"""Requests of REST as this client makes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scoreboard.client.pace import POLL_WITHIN_S
from scoreboard.client.transport import Answer, Transport


@dataclass(frozen=True, slots=True)
class Requests:
    """Asks through a transport; every request is bounded in time. All raise NoAnswer."""

    transport: Transport

    async def ask(self, method: str, path: str, access: str | None, body: Mapping[str, Any] | None) -> Answer:
        """Ask, as whoever the access token belongs to."""
        return await self._request(method, path, access, body, {})

    async def write(self, path: str, access: str, body: Mapping[str, Any] | None, headers: Mapping[str, str]) -> Answer:
        """Ask for a change."""
        return await self._request("POST", path, access, body, headers)

    async def get(self, path: str, headers: Mapping[str, str]) -> Answer:
        """Read what is open to all."""
        return await self._request("GET", path, None, None, headers)

    async def _request(
        self,
        method: str,
        path: str,
        access: str | None,
        body: Mapping[str, Any] | None,
        headers: Mapping[str, str],
    ) -> Answer:
        signed = {} if access is None else {"Authorization": f"Bearer {access}"}
        wanted = {"Accept": "application/json", **headers, **signed}
        return await self.transport.request(method, path, headers=wanted, body=body, within=POLL_WITHIN_S)
