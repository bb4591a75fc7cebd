"""The teams as players: signing up, signing in again, and acting in their name."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, cast
from urllib.parse import quote

from scoreboard.replay.client import SIGN_IN_WITHIN_S, Answer, Api
from scoreboard.replay.entries import Account, Sent
from scoreboard.replay.errors import AccountTaken, ServerRefused
from scoreboard.replay.retry import HTTP_UNAUTHORIZED

HTTP_CONFLICT = 409
HTTP_NOT_FOUND = 404
SIGN_INS: Final = 3  # fresh access tokens refused in a row before that is an error
STALE_CODES = frozenset({"TOKEN_EXPIRED", "TOKEN_INVALID"})
PAGE_ROWS = 100


class Presented(Enum):
    """What became of an action token: its point counts, or the token was no longer good and nothing happened."""

    COUNTED = auto()
    STALE = auto()


@dataclass(slots=True)
class Player:
    """A team that is signed in."""

    account: Account
    user_id: str
    access: str
    refresh: str


@dataclass(frozen=True, slots=True)
class ServerRow:
    """One of our teams in the server's table."""

    rank: int
    user_id: str
    points: int


def fresh_password() -> str:
    """A random password with a letter of each kind, for servers that insist."""
    return f"{secrets.token_urlsafe(18)}-aA1!"


async def sign_up(api: Api, account: Account) -> Player:
    """Register a team, or sign in if a registration of ours happened already.

    Raises:
        AccountTaken: the name belongs to somebody else.
        ServerRefused: the server does not accept such an account.
    """
    body = {"username": account.team, "email": account.email, "password": account.password}
    answer = await api.post("/api/auth/register", body, within_s=SIGN_IN_WITHIN_S)
    if answer.status == HTTP_CONFLICT:
        return await sign_in(api, account)
    if not answer.ok:
        raise answer.refusal(f"to register {account.team!r}")
    return _player(account, answer)


async def sign_in(api: Api, account: Account) -> Player:
    """Sign in with name and password; raises AccountTaken if the server does not accept them."""
    body = {"username": account.team, "password": account.password}
    answer = await api.post("/api/auth/login", body, within_s=SIGN_IN_WITHIN_S)
    if not answer.ok:
        raise AccountTaken(
            f"{account.team!r} cannot sign in ({answer.status} {answer.code}): the name belongs to an account with "
            "another password, or the server runs on other data than before. Use the journal of the run that made the "
            "account (--journal), or a server with a fresh data directory and a new journal."
        )
    return _player(account, answer)


async def issue_token(api: Api, player: Player) -> Mapping[str, object]:
    """A fresh action token."""
    answer = await _as_player(api, player, "/api/actions/token", None, None)
    if not answer.ok:
        raise answer.refusal(f"an action token for {player.account.team!r}")
    return answer.mapping("actionToken")


async def present(api: Api, player: Player, sent: Sent) -> Presented:
    """Present a token under its key, as often as needed for a definite answer.

    A token that is already used counts as ours: nobody else ever held it, and it went out under one key only.
    """
    answer = await _as_player(api, player, "/api/scores/increment", {"actionToken": sent.token}, sent.key)
    if answer.ok or answer.code == "TOKEN_ALREADY_USED":
        return Presented.COUNTED
    if answer.code in STALE_CODES:
        return Presented.STALE
    raise answer.refusal(f"a point for {player.account.team!r}")


async def score_of(api: Api, player: Player) -> int:
    """The team's points on the server; 0 if it stands on no board yet."""
    answer = await api.get(f"/api/scores/user/{quote(player.user_id, safe='')}", access=player.access)
    if answer.status == HTTP_UNAUTHORIZED:
        await _renew(api, player)
        answer = await api.get(f"/api/scores/user/{quote(player.user_id, safe='')}", access=player.access)
    if answer.status == HTTP_NOT_FOUND:
        return 0
    if not answer.ok:
        raise answer.refusal(f"the score of {player.account.team!r}")
    return answer.number("score")


async def server_table(api: Api, user_ids: frozenset[str]) -> list[ServerRow]:
    """The rows of these players as the server orders them, read page by page until all are found or it ends."""
    found: dict[str, ServerRow] = {}
    offset = 0
    while len(found) < len(user_ids):
        answer = await api.get("/api/scores/top", params={"limit": PAGE_ROWS, "offset": offset})
        if not answer.ok:
            raise answer.refusal("its table")
        rows = [_server_row(answer, row) for row in answer.rows("leaderboard")]
        found.update({row.user_id: row for row in rows if row.user_id in user_ids})
        offset += len(rows)
        if not rows:
            break
    return list(found.values())


def _server_row(answer: Answer, row: Mapping[str, object]) -> ServerRow:
    cells = Answer(answer.status, row, answer.request)
    return ServerRow(cells.number("rank"), cells.text("userId"), cells.number("score"))


async def _as_player(api: Api, player: Player, path: str, body: Mapping[str, object] | None, key: str | None) -> Answer:
    for _ in range(SIGN_INS):
        answer = await api.post(path, body, access=player.access, key=key)
        if answer.status != HTTP_UNAUTHORIZED:
            return answer
        await _renew(api, player)
    raise ServerRefused(f"The server does not accept access tokens that it just gave to {player.account.team!r}.")


async def _renew(api: Api, player: Player) -> None:
    answer = await api.post("/api/auth/refresh", {"refreshToken": player.refresh})
    if answer.ok:
        player.access, player.refresh = answer.text("accessToken"), answer.text("refreshToken")
        return
    again = await sign_in(api, player.account)
    player.access, player.refresh = again.access, again.refresh


def _player(account: Account, answer: Answer) -> Player:
    access = answer.text("accessToken")
    named = answer.body.get("userId")
    user_id = named if isinstance(named, str) else _subject(access)
    if user_id is None:
        raise answer.unexpected("without saying whose account it is")
    return Player(account, user_id, access, answer.text("refreshToken"))


def _subject(access: str) -> str | None:
    """Whom an access token is for. The answer to a login names nobody else; nothing is trusted because of it."""
    try:
        payload = access.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        subject = cast("dict[str, object]", claims)["sub"]
    except (IndexError, KeyError, TypeError, ValueError):
        return None
    return subject if isinstance(subject, str) else None
