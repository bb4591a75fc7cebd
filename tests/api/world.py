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

import trio
from quart import Response

from actors.actions.messages import ProofRejected
from actors.actions.proof import HmacVerifier, Verifier
from actors.ports import ED25519, HMAC, key_id
from actors.runtime import Observer
from actors.user.token import ActionKeys
from actors.user.world import UserRules
from scoreboard.api import ApiWorld, create_app
from scoreboard.api.application import Application
from scoreboard.api.captcha import Captcha
from scoreboard.api.gate import Gate, GateRules
from scoreboard.api.kept import KeptAnswers
from scoreboard.api.world import Part
from scoreboard.door.admission import site_of
from scoreboard.observe.logs import make_logger
from scoreboard.observe.metrics import Metrics
from scoreboard.security.common import common_passwords, judge
from scoreboard.security.ed25519 import Ed25519Verifier
from scoreboard.security.keys import KeyRing
from scoreboard.security.passwords import Passwords
from scoreboard.security.revoked import RevokedSessions
from scoreboard.security.tickets import Tickets
from scoreboard.security.tokens import AccessTokens
from scoreboard.server.core import Core, running_core
from scoreboard.server.outside import CoreHooks, CorePorts
from tests.api.declared import hold_to_declarations
from tests.fakes import (
    FakeAccountStore,
    FakeAnnouncements,
    FakeAuditLog,
    FakeBatches,
    FakeBell,
    FakeBoardCache,
    FakeClock,
    FakeEventLog,
    FakeEvidenceStore,
    FakeFraudStore,
    FakeProfileStore,
    FakeScoreStore,
    FakeSharedLimits,
    FakeStandingStore,
    Players,
)
from tests.fakes.archive import FakeArchive
from tests.security.rings import fresh_ring

WEB = Path(__file__).resolve().parents[2] / "scoreboard" / "web"
DOCS = WEB.with_name("docs")
PASSWORD = "a long enough secret"
LIFETIME_S = 3600
JUDGE = judge(common_passwords())  # read once: thousands of worlds are made


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
    given: ApiWorld
    app: Application
    live: set[tuple[str, str]]
    keys: KeyRing
    profiles: FakeProfileStore
    archive: FakeArchive
    audit: FakeAuditLog
    fraud: FakeFraudStore
    core: Core
    kept: FakeAnswers

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
class Parts:
    """What the actors and the routes of one world share."""

    keys: KeyRing
    clock: FakeClock = field(default_factory=FakeClock)
    ids: SeededIds = field(default_factory=SeededIds)
    metrics: Metrics = field(default_factory=Metrics)
    log: io.StringIO = field(default_factory=io.StringIO)
    health: Health = field(default_factory=Health)

    def __post_init__(self) -> None:
        self.revoked = RevokedSessions(keep_s=LIFETIME_S, now_us=self.clock.now_us)
        self.rejected: list[ProofRejected] = []
        self.live: set[tuple[str, str]] = set()
        self.kept = FakeAnswers()
        self.players = Players(self.clock)
        self.audit = FakeAuditLog()
        self.scores = FakeScoreStore(self.players, self.clock)
        self.accounts = FakeAccountStore(self.players, self.audit)
        self.evidence = FakeEvidenceStore(self.scores)
        self.profiles, self.archive = FakeProfileStore(self.players), FakeArchive(self.scores, self.clock)
        self.standing = FakeStandingStore(self.players, self.audit)
        self.fraud = FakeFraudStore(self.players)

    def ports(self) -> CorePorts:
        """The world as the actors see it."""
        keys, rng = ActionKeys(self.keys.action_keys[0]), random.Random(1)
        events, cache = FakeEventLog(patient=False), FakeBoardCache()
        stores = (self.scores, self.accounts, events, cache)
        rest = (self.scores, self.archive, self.profiles, self.evidence)
        heard = (FakeAnnouncements(self.accounts), FakeBell())
        return CorePorts(
            *stores,
            self.clock,
            self.ids,
            lambda: keys,
            rng,
            *rest,
            self.verifiers(),
            *heard,
            standing=self.standing,
            audit=self.audit,
            fraud=self.fraud,
            limits=FakeSharedLimits(),
            batches=FakeBatches(self.scores, self.scores.chain),
        )

    def verifiers(self) -> dict[str, Verifier]:
        """Of those keys that the ring has."""
        return {
            HMAC: HmacVerifier(lambda name: self.keys.game_keys.get(name, ())),
            ED25519: Ed25519Verifier(lambda name: self.keys.public_keys.get(name, ()), key_id),
        }

    def hooks(self) -> CoreHooks:
        """Nobody listens but the metrics."""
        return CoreHooks(
            Observer(),
            self.metrics.committed,
            lambda _: None,
            lambda _user, _error: None,
            session_ended=self.revoked.add,
            proof_rejected=self.rejected.append,
            scored=self.metrics.scored,
        )

    def given(self, core: Core, web: Path, changes: dict[str, Any]) -> ApiWorld:
        """What the routes are given."""
        now_us = self.clock.now_us
        names: dict[str, Any] = {"issuer": "scoreboard-api", "audience": "scoreboard-client"}
        given: dict[str, Any] = {
            "users": core.users,
            "services": core.services,
            "denied": core.denied,
            "accounts": core.accounts,
            "actions": core.actions,
            "standing": core.standing,
            "audit": core.audit,
            "audit_log": self.audit,
            "fraud": self.fraud,
            "boards": core.boards,
            "archive": self.archive,
            "published": core.published,
            "tokens": AccessTokens(
                lambda: self.keys, self.revoked, **names, lifetime_s=LIFETIME_S, now_us=now_us, services=self.live
            ),
            "kept": KeptAnswers(self.kept, self.keys.refresh_key),
            "tickets": Tickets(self.keys.refresh_key, now_us=now_us, used=Alone()),
            "passwords": Passwords(rounds=4),
            "refresh_key": self.keys.refresh_key,
            "client_keys": lambda: self.keys.client_keys,
            "clock": self.clock,
            "ids": self.ids,
            "metrics": self.metrics,
            "logger": make_logger(level="debug", style="json", stream=self.log),
            "readiness": self.health.check,
            "page_dir": web,
            "docs_dir": DOCS,
            "unguessable": JUDGE,
            "refresh_lifetime_s": 30 * 24 * 3600,
            "refresh_grace_s": 10,
        }
        return ApiWorld(**{**given, **changes})


class FakeAnswers:
    """Answers in memory.

    `away`: nothing is kept, and nothing found; `hangs`: nobody is answered at all; `blind`: what is kept is not found.
    """

    def __init__(self) -> None:
        self.rows: dict[str, tuple[bytes, int]] = {}
        self.away = self.hangs = self.blind = False

    async def find(self, name: str) -> bytes | None:
        if self.hangs:
            await trio.sleep_forever()
        return None if self.away or self.blind or name not in self.rows else self.rows[name][0]

    async def keep(self, name: str, answer: bytes, within_s: int) -> bytes:
        if self.hangs:
            await trio.sleep_forever()
        return answer if self.away else self.rows.setdefault(name, (answer, within_s))[0]


class Alone:
    """No other worker takes tickets."""

    async def first_use(self, _name: str, _within_s: int) -> bool | None:
        return None


@asynccontextmanager
async def running_world(
    *,
    ring: KeyRing | None = None,
    rules: UserRules | None = None,
    web: Path = WEB,
    gate: GateRules | None = None,
    **changes: Any,
) -> AsyncIterator[World]:
    """Run a world; `changes` replace fields of its `ApiWorld`."""
    parts = Parts(ring or fresh_ring())
    given_rules, captchas = rules or UserRules(), "verifier" in changes
    async with running_core(parts.ports(), parts.hooks(), given_rules, tick_s=1.0, captchas=captchas) as core:
        if captchas:
            away = changes.pop("away", lambda _: None)
            changes["captcha"] = Captcha(changes.pop("verifier"), core.challenged, away)
        if gate is not None:
            counted = core.limits
            changes["gate"] = Gate(counted.requests, counted.attempts, counted.players, gate, site_of, parts.clock)
        given = parts.given(core, web, changes)
        app = create_app(given)
        hold_to_declarations(app)
        yield World(
            *(parts.clock, parts.players, parts.scores, parts.accounts, parts.log, parts.health),
            *(given, app, parts.live, parts.keys, parts.profiles, parts.archive),
            *(parts.audit, parts.fraud, core, parts.kept),
        )
