"""Who is signed in: tokens, and how to get new ones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import trio

from scoreboard.client.errors import ScoreboardError
from scoreboard.client.transport import Answer

TokenSource = Callable[[], Awaitable[str]]
Ask = Callable[[str, str, str | None, Mapping[str, Any] | None], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a sign-in gives. The refresh token changes with each use: keep the newest, and keep it secret."""

    access_token: str
    refresh_token: str | None
    expires_in_s: float | None
    user_id: str | None = None


class Account:
    """The tokens of one player, or nobody's.

    Args:
        ask: A request of REST: method, path, access token, body.
        token: An access token, or a function that fetches one.
        refresh_token: Renews the access token when the server says that it is time.
        on_tokens: Hears of all new tokens.
    """

    def __init__(
        self,
        ask: Ask,
        token: str | TokenSource | None,
        refresh_token: str | None,
        on_tokens: Callable[[Tokens], None] | None,
    ) -> None:
        self._ask = ask
        self._access = token if isinstance(token, str) else None
        self._source = token if callable(token) else None
        self._refresh_token = refresh_token
        self._on_tokens = on_tokens
        self._renewals = 0
        self._lock = trio.Lock()

    def __repr__(self) -> str:
        return f"<Account {'signed in' if self.signed_in else 'nobody'}>"

    @property
    def signed_in(self) -> bool:
        """Whether there is a token, or a way to one."""
        return bool(self._access or self._refresh_token or self._source)

    async def access(self) -> str:
        """The access token, fetched if there is none yet."""
        return self._access or await self.renew()

    async def renew(self) -> str:
        """A new access token; several who need one share one request.

        Raises:
            ScoreboardError: one must sign in again, or later.
            NoAnswer: the server did not answer.
        """
        seen = self._renewals
        async with self._lock:
            if seen == self._renewals or self._access is None:
                self._access = None
                self._access = await self._renewed()
                self._renewals += 1
            return self._access

    async def _renewed(self) -> str:
        if self._source is not None:
            return await self._source()
        if self._refresh_token is None:
            raise ScoreboardError("ACCESS_TOKEN_EXPIRED", "The access token is no longer good.")
        answer = await self._ask("POST", "/api/auth/refresh", None, {"refreshToken": self._refresh_token})
        return self.keep(answer).access_token

    async def enter(self, path: str, body: Mapping[str, Any]) -> Tokens:
        """Sign in, or register; raises ScoreboardError, or NoAnswer."""
        return self.keep(await self._ask("POST", path, None, body))

    def keep(self, answer: Answer) -> Tokens:
        """Remember the tokens in an answer; raises ScoreboardError if it is a refusal."""
        if not answer.ok or not isinstance(answer.body, dict) or "accessToken" not in answer.body:
            raise answer.error()
        body = answer.body
        tokens = Tokens(
            body["accessToken"],
            body.get("refreshToken", self._refresh_token),
            body.get("expiresIn"),
            body.get("userId"),
        )
        self._access, self._refresh_token = tokens.access_token, tokens.refresh_token
        if self._on_tokens is not None:
            self._on_tokens(tokens)
        return tokens

    def forget(self) -> None:
        """Nobody is signed in any more."""
        self._access = self._refresh_token = self._source = None
