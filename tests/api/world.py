"""A whole API over real actors, with fakes where the stores would be."""

from __future__ import annotations

import copy
import io
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quart import Response
from quart_trio import QuartTrio

from actors.leaderboard.actor import BoardWorld, LeaderboardActor
from actors.leaderboard.published import PublishedBoards
from actors.ledger.accounts import AccountsActor
from actors.ledger.actor import LedgerActor, LedgerWorld
from actors.ledger.publisher import PublisherActor, PublisherWorld
from actors.ports import ALL_TIME, BoardId, UserId
from actors.runtime import Directory, running_actor
from actors.user.actor import UserActor, UserRules, UserWorld
from actors.user.token import ActionKeys
from scoreboard.api import Services, create_app
from scoreboard.api.services import Part
from scoreboard.observe.logs import make_logger
from scoreboard.observe.metrics import Metrics
from scoreboard.security.keys import KeyRing, generate_ring
from scoreboard.security.passwords import Passwords
from scoreboard.security.revoked import RevokedSessions
from scoreboard.security.tokens import AccessTokens
from tests.fakes import FakeAccountStore, FakeBoardCache, FakeClock, FakeEventLog, FakeScoreStore, Players

WEB = Path(__file__).resolve().parents[2] / "scoreboard" / "web"
PASSWORD = "a long enough secret"
LIFETIME_S = 3600


class SeededIds:
    """Ids that are the same in each run."""

    def __init__(self) -> None:
        self._rng = random.Random(7)

    def uuid(self) -> str:
        digits = f"{self._rng.getrandbits(128):032x}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    def nonce(self) -> str:
        return f"{self._rng.getrandbits(96):024x}"


@dataclass
class Health:
    """What the readiness check will say; `error` is raised instead."""

    parts: list[Part] = field(default_factory=lambda: [("postgres", None), ("redis", None)])
    error: Exception | None = None

    async def check(self) -> Sequence[Part]:
        if self.error is not None:
            raise self.error
        return self.parts


@dataclass
class Me:
    """Somebody who is signed in."""

    user_id: str
    username: str
    access: str
    refresh: str


@dataclass
class World:
    """The running parts, and the verbs that tests say."""

    clock: FakeClock
    players: Players
    scores: FakeScoreStore
    accounts: FakeAccountStore
    log: io.StringIO
    health: Health
    services: Services
    app: QuartTrio

    async def get(self, path: str, *, token: str | None = None, headers: dict[str, str] | None = None) -> Response:
        """GET a path."""
        return await self.app.test_client().get(path, headers=_headers(token, headers))

    async def post(
        self, path: str, body: Any = None, *, token: str | None = None, headers: dict[str, str] | None = None
    ) -> Response:
        """POST JSON, or no body at all."""
        given = _headers(token, headers)
        if body is None:
            return await self.app.test_client().post(path, headers=given)
        return await self.app.test_client().post(path, json=body, headers=given)

    async def post_raw(self, path: str, data: bytes, headers: dict[str, str], *, token: str | None = None) -> Response:
        """POST exactly these bytes."""
        return await self.app.test_client().post(path, data=data, headers=_headers(token, headers))

    async def signed_up(self, name: str) -> Me:
        """Register somebody."""
        body = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
        response = await self.post("/api/auth/register", body)
        assert 201 == response.status_code, await response.get_data(as_text=True)
        told = await response.get_json()
        return Me(told["userId"], told["username"], told["accessToken"], told["refreshToken"])

    async def action_token(self, me: Me) -> dict[str, Any]:
        """A fresh action token."""
        response = await self.post("/api/actions/token", token=me.access)
        assert 200 == response.status_code, await response.get_data(as_text=True)
        token: dict[str, Any] = (await response.get_json())["actionToken"]
        return token

    async def increment(self, me: Me, token: dict[str, Any], key: str | None = None) -> Response:
        """Spend an action token."""
        headers = {} if key is None else {"Idempotency-Key": key}
        return await self.post("/api/scores/increment", {"actionToken": token}, token=me.access, headers=headers)

    async def point(self, me: Me) -> None:
        """One point more."""
        assert 200 == (await self.increment(me, await self.action_token(me))).status_code

    def state(self) -> Any:
        """All that the stores hold, to see that nothing has changed."""
        accounts = self.accounts
        return copy.deepcopy((self.players.rows, self.scores.ledger, accounts._sessions, accounts._tokens))


def _headers(token: str | None, more: dict[str, str] | None) -> dict[str, str]:
    return {**({} if token is None else {"Authorization": f"Bearer {token}"}), **(more or {})}


@asynccontextmanager
async def running_world(
    *, ring: KeyRing | None = None, rules: UserRules | None = None, web: Path = WEB, **changes: Any
) -> AsyncIterator[World]:
    """Run a world; `changes` replace fields of its `Services`."""
    clock, ids, metrics, log = FakeClock(), SeededIds(), Metrics(), io.StringIO()
    players = Players(clock)
    scores, accounts = FakeScoreStore(players, clock), FakeAccountStore(players)
    keys = ring or generate_ring()
    published = PublishedBoards()
    board_world = BoardWorld(scores, clock, ids, published, set(), lambda update: None)
    rng = random.Random(1)
    health = Health()
    revoked = RevokedSessions(keep_s=LIFETIME_S, now_us=clock.now_us)
    async with (
        Directory[BoardId]("board", lambda key: LeaderboardActor(key, board_world), rng=rng).running() as boards,
        running_actor("publisher", lambda: PublisherActor(_publisher()), rng=rng) as publisher,
        running_actor(
            "ledger",
            lambda: LedgerActor(LedgerWorld(scores, boards.ref(ALL_TIME), publisher, metrics.committed)),
            rng=rng,
        ) as ledger,
        running_actor("accounts", lambda: AccountsActor(accounts, ledger), rng=rng) as accounts_ref,
        Directory[UserId](
            "user",
            lambda key: UserActor(
                key, UserWorld(clock, ids, ActionKeys(keys.action_keys[0]), rules or UserRules(), ledger)
            ),
            rng=rng,
        ).running() as users,
    ):
        given: dict[str, Any] = {
            "users": users,
            "accounts": accounts_ref,
            "boards": boards,
            "published": published,
            "tokens": AccessTokens(
                keys,
                revoked,
                issuer="scoreboard-api",
                audience="scoreboard-client",
                lifetime_s=LIFETIME_S,
                now_us=clock.now_us,
            ),
            "revoked": revoked,
            "passwords": Passwords(rounds=4),
            "refresh_key": keys.refresh_key,
            "clock": clock,
            "ids": ids,
            "metrics": metrics,
            "logger": make_logger(level="debug", style="json", stream=log),
            "readiness": health.check,
            "page_dir": web,
        }
        services = Services(**{**given, **changes})
        yield World(clock, players, scores, accounts, log, health, services, create_app(services))


def _publisher() -> PublisherWorld:
    return PublisherWorld(FakeEventLog(), FakeBoardCache(), lambda count: None)
