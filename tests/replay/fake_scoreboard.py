"""A model of the server behind `httpx.MockTransport`: accounts, tokens, idempotency, expiry, and faults on request.

It decides in the order that the real one promises: the idempotency key first, then the token's age, then whether it
is spent.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto

import httpx
import trio

TOKEN_LIVES_S = 60.0
MAX_PAGE = 100


class Fault(Enum):
    """What may happen to one request."""

    NONE = auto()
    LOST_REQUEST = auto()  # the connection breaks before the server sees it
    LOST_ANSWER = auto()  # the server does it, and the answer never arrives
    UNAVAILABLE = auto()  # 503
    BROKEN = auto()  # 500
    LIMITED = auto()  # 429
    SIGNED_OUT = auto()  # all access tokens are gone
    SLOW = auto()  # longer than an action token lives, and nothing happened
    KILLED = auto()  # the replay dies before the request leaves
    KILLED_AFTER = auto()  # the replay dies before the answer comes


class Killed(Exception):
    """The replay's process is gone."""


@dataclass
class User:
    user_id: str
    name: str
    password: str
    score: int = 0
    reached: int = 0


Response = tuple[int, dict[str, object]]


@dataclass
class FakeScoreboard:
    """The state that survives restarts of the replay. `faults` says what happens to each request, in order.

    `clock_s` is how long the present life of the replay takes so far.
    """

    faults: Iterator[Fault] = field(default_factory=lambda: iter(()))
    offset_s: float = 0.0
    users: dict[str, User] = field(default_factory=dict)
    access: dict[str, str] = field(default_factory=dict)
    refresh: dict[str, str] = field(default_factory=dict)
    answers: dict[tuple[str, str], tuple[str, Response]] = field(default_factory=dict)
    spent: set[str] = field(default_factory=set)
    requests: Counter[str] = field(default_factory=Counter)
    log: list[tuple[str, str]] = field(default_factory=list)
    keys_seen: set[str] = field(default_factory=set)
    banned: set[str] = field(default_factory=set)
    after_increments: dict[int, Callable[[], None]] = field(default_factory=dict)
    token_lives_s: float = TOKEN_LIVES_S
    clock: Callable[[], float] = trio.current_time
    clock_s: float = 0.0
    serial: int = 0

    def transport(self) -> httpx.MockTransport:
        """What to give to an httpx client."""
        return httpx.MockTransport(self._handle)

    def now(self) -> float:
        """The server's time of day in seconds."""
        return self.clock() + self.offset_s

    def forget_keys(self) -> None:
        """What a server does in the end: idempotency keys and spent tokens are not kept for ever."""
        self.answers.clear()
        self.spent.clear()

    def add_point(self, name: str) -> None:
        """Give somebody a point that no replay sent."""
        self.users[name.casefold()].score += 1

    async def _handle(self, request: httpx.Request) -> httpx.Response:
        self.clock_s = trio.current_time()
        fault = next(self.faults, Fault.NONE)
        await trio.lowlevel.checkpoint()
        early = await self._before(fault, request)
        if early is not None:
            return early
        status, body = self.answer(request)
        if fault is Fault.KILLED_AFTER:
            raise Killed
        if fault is Fault.LOST_ANSWER:
            raise httpx.ReadError("connection reset", request=request)
        await trio.lowlevel.checkpoint()
        return httpx.Response(status, json=body)

    async def _before(self, fault: Fault, request: httpx.Request) -> httpx.Response | None:
        if fault is Fault.KILLED:
            raise Killed
        if fault is Fault.LOST_REQUEST:
            raise httpx.ConnectError("connection refused", request=request)
        if fault is Fault.SLOW:
            self.offset_s += TOKEN_LIVES_S + 1
            raise httpx.ReadTimeout("too slow", request=request)
        if fault is Fault.SIGNED_OUT:
            self.access.clear()
            self.refresh.clear()
        if fault is Fault.LIMITED:
            return httpx.Response(429, json={"error": "Rate limit exceeded", "message": "slow down", "retryAfter": 2})
        if fault in (Fault.UNAVAILABLE, Fault.BROKEN):
            return httpx.Response(503 if fault is Fault.UNAVAILABLE else 500, text="oops")
        return None

    def answer(self, request: httpx.Request) -> Response:
        """Status and body of the answer, without any fault."""
        path = request.url.path
        self.requests[path if not path.startswith("/api/scores/user/") else "/api/scores/user"] += 1
        body = json.loads(request.content) if request.content else {}
        routes: dict[str, Callable[[dict[str, object], httpx.Request], Response]] = {
            "/api/auth/register": self._register,
            "/api/auth/login": self._login,
            "/api/auth/refresh": self._refresh,
            "/api/actions/token": self._token,
            "/api/scores/increment": self._increment,
            "/api/scores/top": self._top,
        }
        return routes.get(path, self._user)(body, request)

    def _register(self, body: dict[str, object], request: httpx.Request) -> Response:
        name = str(body["username"])
        if name.casefold() in self.users:
            return 409, {"error": "Conflict", "message": "The name is taken", "code": "USERNAME_TAKEN"}
        user = User(f"user_{len(self.users)}", name, str(body["password"]))
        self.users[name.casefold()] = user
        return 201, {"userId": user.user_id, "username": name, **self._session(user)}

    def _login(self, body: dict[str, object], request: httpx.Request) -> Response:
        user = self.users.get(str(body["username"]).casefold())
        if user is None or user.password != body["password"]:
            return 401, {"error": "Unauthorized", "message": "Wrong name or password", "code": "INVALID_CREDENTIALS"}
        return 200, {"userId": user.user_id, **self._session(user)}

    def _refresh(self, body: dict[str, object], request: httpx.Request) -> Response:
        name = self.refresh.pop(str(body["refreshToken"]), None)
        if name is None:
            return 401, {"error": "Unauthorized", "message": "Unknown refresh token", "code": "INVALID_TOKEN"}
        return 200, self._session(self.users[name])

    def _session(self, user: User) -> dict[str, object]:
        self.serial += 1
        self.access[f"access-{self.serial}"] = self.refresh[f"refresh-{self.serial}"] = user.name.casefold()
        return {"accessToken": f"access-{self.serial}", "refreshToken": f"refresh-{self.serial}", "expiresIn": 86400}

    def _signed_in(self, request: httpx.Request) -> User | None:
        name = self.access.get(request.headers.get("Authorization", "").removeprefix("Bearer "))
        return None if name is None else self.users[name]

    def _token(self, body: dict[str, object], request: httpx.Request) -> Response:
        user = self._signed_in(request)
        if user is None:
            return 401, {"error": "Unauthorized", "message": "Sign in", "code": "UNAUTHORIZED"}
        self.serial += 1
        stamp = int(self.now() * 1000)
        token = {"userId": user.user_id, "timestamp": stamp, "nonce": f"{self.serial:x}", "signature": "good"}
        return 200, {"actionToken": token, "expiresAt": stamp + 60_000, "expiresIn": 60}

    def _increment(self, body: dict[str, object], request: httpx.Request) -> Response:
        user = self._signed_in(request)
        if user is None:
            return 401, {"error": "Unauthorized", "message": "Sign in", "code": "UNAUTHORIZED"}
        if user.name in self.banned:
            return 403, {"error": "Forbidden", "message": "Your account is banned", "code": "USER_BANNED"}
        identity = (user.user_id, request.headers["Idempotency-Key"])
        self.keys_seen.add(identity[1])
        wanted = json.dumps(body, sort_keys=True)
        if identity in self.answers:
            first, answer = self.answers[identity]
            if first != wanted:
                return 422, {"error": "Invalid key", "message": "Another request", "code": "IDEMPOTENCY_KEY_REUSED"}
            return answer
        refusal = self._judge(user, body)
        if refusal is not None:
            return 400, {"error": "Invalid token", "message": refusal.lower(), "code": refusal}
        answer = self._score(user, body)
        self.answers[identity] = (wanted, answer)
        return answer

    def _judge(self, user: User, body: dict[str, object]) -> str | None:
        token = body["actionToken"]
        assert isinstance(token, dict)
        if token["userId"] != user.user_id or token["signature"] != "good":
            return "TOKEN_INVALID"
        if self.now() * 1000 > token["timestamp"] + self.token_lives_s * 1000:
            return "TOKEN_EXPIRED"
        return "TOKEN_ALREADY_USED" if token["nonce"] in self.spent else None

    def _score(self, user: User, body: dict[str, object]) -> Response:
        token = body["actionToken"]
        assert isinstance(token, dict)
        self.spent.add(token["nonce"])
        self.serial += 1
        user.score, user.reached = user.score + 1, self.serial
        self.log.append((user.name, token["nonce"]))
        self.after_increments.get(len(self.log), lambda: None)()
        return 200, {"success": True, "newScore": user.score, "previousRank": 1, "newRank": 1, "rankChanged": False}

    def _top(self, body: dict[str, object], request: httpx.Request) -> Response:
        limit, offset = int(request.url.params["limit"]), int(request.url.params["offset"])
        if not 1 <= limit <= MAX_PAGE:
            return 400, {"error": "Invalid input", "message": "limit is 1 to 100", "code": "INVALID_INPUT"}
        ranked = sorted(self.users.values(), key=lambda user: (-user.score, user.reached, user.user_id))
        rows = [
            {"rank": rank, "userId": user.user_id, "username": user.name, "score": user.score}
            for rank, user in enumerate(ranked, start=1)
        ]
        return 200, {"leaderboard": rows[offset : offset + limit], "totalUsers": len(rows), "cacheHit": True}

    def _user(self, body: dict[str, object], request: httpx.Request) -> Response:
        for user in self.users.values():
            if request.url.path.endswith(f"/{user.user_id}"):
                return 200, {"userId": user.user_id, "username": user.name, "score": user.score, "rank": 1}
        return 404, {"error": "Not found", "message": "No such player", "code": "USER_NOT_FOUND"}
