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
from actors.ledger.actor import LedgerActor
from actors.ledger.publisher import PublisherActor, PublisherWorld
from actors.ledger.world import LedgerWorld
from actors.ports import ALL_TIME, BoardId, UserId
from actors.runtime import Directory, Ref, running_actor
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

    parts: list[Part] = field(default_factory=lambda: [Part("postgres", None), Part("redis", None)])
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


@dataclass
class Core:
    """What the actors of one world share."""

    keys: KeyRing
    rules: UserRules
    clock: FakeClock = field(default_factory=FakeClock)
    ids: SeededIds = field(default_factory=SeededIds)
    metrics: Metrics = field(default_factory=Metrics)
    published: PublishedBoards = field(default_factory=PublishedBoards)
    log: io.StringIO = field(default_factory=io.StringIO)
    health: Health = field(default_factory=Health)

    def __post_init__(self) -> None:
        self.players = Players(self.clock)
        self.scores, self.accounts = FakeScoreStore(self.players, self.clock), FakeAccountStore(self.players)

    def board(self, key: BoardId) -> LeaderboardActor:
        world = BoardWorld(self.scores, self.clock, self.ids, self.published, set(), lambda update: None)
        return LeaderboardActor(key, world)

    def ledger(self, board: Ref, publisher: Ref) -> LedgerActor:
        return LedgerActor(LedgerWorld(self.scores, board, publisher, self.metrics.committed))

    def user(self, key: UserId, ledger: Ref) -> UserActor:
        world = UserWorld(self.clock, self.ids, ActionKeys(self.keys.action_keys[0]), self.rules, ledger)
        return UserActor(key, world)

    def plain_services(self, web: Path) -> dict[str, Any]:
        """The services that are no actors."""
        now_us = self.clock.now_us
        revoked = RevokedSessions(keep_s=LIFETIME_S, now_us=now_us)
        names: dict[str, Any] = {"issuer": "scoreboard-api", "audience": "scoreboard-client"}
        return {
            "published": self.published,
            "tokens": AccessTokens(self.keys, revoked, **names, lifetime_s=LIFETIME_S, now_us=now_us),
            "revoked": revoked,
            "passwords": Passwords(rounds=4),
            "refresh_key": self.keys.refresh_key,
            "clock": self.clock,
            "ids": self.ids,
            "metrics": self.metrics,
            "logger": make_logger(level="debug", style="json", stream=self.log),
            "readiness": self.health.check,
            "page_dir": web,
        }


@asynccontextmanager
async def running_world(
    *, ring: KeyRing | None = None, rules: UserRules | None = None, web: Path = WEB, **changes: Any
) -> AsyncIterator[World]:
    """Run a world; `changes` replace fields of its `Services`."""
    core = Core(ring or generate_ring(), rules or UserRules())
    async with running_actors(core) as actors:
        services = Services(**{**core.plain_services(web), **actors, **changes})
        app = create_app(services)
        yield World(core.clock, core.players, core.scores, core.accounts, core.log, core.health, services, app)


@asynccontextmanager
async def running_actors(core: Core) -> AsyncIterator[dict[str, Any]]:
    """Run the actors in the order in which they need each other; yields the services that they are."""
    rng = random.Random(1)
    async with (
        Directory[BoardId]("board", core.board, rng=rng).running() as boards,
        running_actor("publisher", lambda: PublisherActor(_publisher()), rng=rng) as publisher,
        running_actor("ledger", lambda: core.ledger(boards.ref(ALL_TIME), publisher), rng=rng) as ledger,
        running_actor("accounts", lambda: AccountsActor(core.accounts, ledger), rng=rng) as accounts,
        Directory[UserId]("user", lambda key: core.user(key, ledger), rng=rng).running() as users,
    ):
        yield {"users": users, "accounts": accounts, "boards": boards}


def _publisher() -> PublisherWorld:
    return PublisherWorld(FakeEventLog(), FakeBoardCache(), lambda count: None)
