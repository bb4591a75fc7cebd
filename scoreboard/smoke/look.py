"""A look at a running server as a player has it: sign up, score, see that on the live feed, and end the session."""

from __future__ import annotations

import secrets
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

import httpx
import trio

from scoreboard.client import Scoreboard, connect

WITHIN_S = 20.0
#: Every name of these players begins so.
PREFIX = "smoke-"


class Unreachable(Exception):
    """Nobody answers there."""


class Smokes(Exception):
    """Something does not work; the sentence says what."""


@dataclass(frozen=True, slots=True)
class Guest:
    """A player who was made up for this."""

    name: str
    password: str

    @classmethod
    def fresh(cls) -> Guest:
        """Nobody has this name."""
        return cls(f"{PREFIX}{secrets.token_hex(6)}", f"{secrets.token_urlsafe(18)}-aA1")

    @property
    def email(self) -> str:
        """At a domain that is nobody's, for ever (RFC 2606)."""
        return f"{self.name}@example.invalid"


async def look(url: str, guest: Guest, tls: ssl.SSLContext | None, tell: Callable[[str], None]) -> None:
    """Do all of it, and tell each step when it is done.

    Raises:
        Unreachable: nobody answers at that address.
        Smokes: a step does not work, or takes longer than `WITHIN_S` seconds.
    """
    async with httpx.AsyncClient(base_url=url, verify=tls or True, timeout=WITHIN_S, trust_env=False) as http:
        await _answers(http, url, tell)
        with trio.move_on_after(WITHIN_S) as patience:
            try:
                async with connect(url, debounce_s=0, tls=tls) as board:
                    token = await _play(board, guest, tell)
                await _sign_out(http, token, tell)
            except* Smokes as caught:
                raise caught.exceptions[0] from None
            except* Exception as caught:
                raise Smokes(f"{guest.name}: {_innermost(caught)}") from caught
        if patience.cancelled_caught:
            raise Smokes(f"the next step did not come to its end within {WITHIN_S:g} s")


async def _answers(http: httpx.AsyncClient, url: str, tell: Callable[[str], None]) -> None:
    for path in ("/health", "/ready"):
        try:
            answer = await http.get(path)
        except httpx.HTTPError as error:
            raise Unreachable(f"nobody answers at {url}: {error!r}") from error
        if not answer.is_success:
            raise Smokes(f"{path} answers {answer.status_code}: {answer.text[:200]}")
        tell(f"{path} answers")


async def _play(board: Scoreboard, guest: Guest, tell: Callable[[str], None]) -> str:
    """Its access token."""
    tokens = await board.register(guest.name, guest.email, guest.password)
    tell(f"{guest.name} has registered")
    news = board.listen("player.me")
    score = await board.score(idempotency_key=str(uuid4()))
    tell(f"its token was good for a point: score {score.new_score}, rank {score.new_rank}")
    async for each in news:
        if each.data.get("score") == score.new_score:
            tell("the live feed shows it")
            return tokens.access_token
    raise Smokes("the live feed ended before it showed the point")


async def _sign_out(http: httpx.AsyncClient, token: str, tell: Callable[[str], None]) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    ended = await http.post("/api/auth/logout", headers=headers)
    after = await http.get("/api/v1/users/me", headers=headers)
    if not ended.is_success or after.status_code != httpx.codes.UNAUTHORIZED:
        raise Smokes(f"its session has not ended: {ended.status_code}, and then {after.status_code}")
    tell("its session has ended")


def _innermost(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) or repr(error)
