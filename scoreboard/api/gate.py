"""How often somebody may ask: judged before a route runs, and told with every answer."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import trio

from actors.limits.messages import Attempt
from actors.ports import Limits, PlayerLimits, Quota, Taken, UserId, WallClock, Wanted
from actors.runtime import ActorError, Ref
from scoreboard.api.answer import Headers
from scoreboard.api.errors import ApiError
from scoreboard.api.request import ApiRequest

API = "/api/"
ADDRESS = "address"
WORKER = "worker"
SIGN_IN = "sign-in"
REGISTRATION = "registration"
LIMITS_WITHIN_S = 2.0

#: One address asks again and again: so many are remembered with what shares their limit.
SITES = 4096


@dataclass(frozen=True, slots=True)
class GateRules:
    """How often the API may be asked from one address and of this worker; how often somebody may sign in or register.

    `of_players` says by route which limit of a player counts there, for the headers; its actor holds it.
    """

    address: Quota = field(default_factory=lambda: Quota(100))
    worker: Quota = field(default_factory=lambda: Quota(10_000))
    sign_ins_of_address: Quota = field(default_factory=lambda: Quota(30))
    sign_ins_of_account: Quota = field(default_factory=lambda: Quota(10))
    registrations: Quota = field(default_factory=lambda: Quota(10))
    of_players: Mapping[str, tuple[str, Quota]] = field(default_factory=dict)


class Gate:
    """Stands before the routes of one worker.

    Args:
        limits: What this worker allows, at once.
        attempts: Understands ``actors.limits.messages``; knows of what others allow.
        players: What players have left.
        site_of: What shares the limit of one address.
        now_s: A clock that only goes on.
    """

    def __init__(
        self,
        limits: Limits,
        attempts: Ref,
        players: PlayerLimits,
        rules: GateRules,
        site_of: Callable[[str], str],
        clock: WallClock,
        now_s: Callable[[], float] = trio.current_time,
    ) -> None:
        self._limits = limits
        self._attempts = attempts
        self._players = players
        self._rules = rules
        self._site_of = site_of
        self._sites: dict[str, str] = {}
        self._clock = clock
        self._now_s = now_s
        self._ends_s = -math.inf
        self._served = 0

    def __repr__(self) -> str:
        return f"<Gate, {self._served} served in this window>"

    def enter(self, request: ApiRequest) -> None:
        """Count one request for its address and for this worker.

        Raises:
            ApiError: one of them has had its share.
        """
        self._count_for_worker(request)
        quota = self._rules.address
        taken = self._limits.take(f"{ADDRESS}:{self._site(request)}", quota)
        self._note(request, ADDRESS, quota, taken)
        if not taken.allowed:
            sentence = f"Maximum {taken.limit} requests per minute from one address. Please wait before trying again."
            raise limited(sentence, taken)

    async def sign_in(self, request: ApiRequest, account: str, known: str | None = None) -> None:
        """Count one attempt to sign in, for its address and for the account (its folded name), which need not exist.

        Who is `known` there, by that mark, is counted apart: guesses from elsewhere do not keep its player out.

        Raises:
            ApiError: too many; or it cannot be known, and then nobody signs in.
        """
        await self._sign_in(request, "sign in", account, known)

    async def change_password(self, request: ApiRequest, player: UserId, known: str | None = None) -> None:
        """Count one attempt of who is signed in, who must know the present password: as `sign_in`, for the player.

        Who would like to be that player, and guesses elsewhere, does not keep it from this.
        """
        await self._sign_in(request, "change the password", player, known)

    async def _sign_in(self, request: ApiRequest, doing: str, account: str, known: str | None) -> None:
        rules = self._rules
        named = hashlib.sha256(account.encode()).hexdigest()[:32]  # names are nobody's business in a cache
        counted = f"account:{named}" if known is None else f"known:{known}"
        await self._attempt(
            request,
            doing,
            (SIGN_IN, Wanted(f"{SIGN_IN}:{ADDRESS}:{self._site(request)}", rules.sign_ins_of_address)),
            (SIGN_IN, Wanted(f"{SIGN_IN}:{counted}", rules.sign_ins_of_account)),
        )

    async def register(self, request: ApiRequest) -> None:
        """Count one attempt to make an account; raises as `sign_in`."""
        wanted = Wanted(f"{REGISTRATION}:{ADDRESS}:{self._site(request)}", self._rules.registrations)
        await self._attempt(request, "register", (REGISTRATION, wanted))

    async def _attempt(self, request: ApiRequest, doing: str, *named: tuple[str, Wanted]) -> None:
        wanted = tuple(each for _, each in named)
        try:
            told = await self._attempts.ask(Attempt(wanted), within=LIMITS_WITHIN_S)
        except ActorError as error:
            sentence = f"Nobody can {doing} just now. Try again in a moment."
            raise ApiError(503, "Service unavailable", "SERVICE_UNAVAILABLE", sentence, retry_after_s=1.0) from error
        for (name, each), taken in zip(named, told, strict=True):
            self._note(request, name, each.quota, taken)
            if not taken.allowed:
                raise limited(f"Too many attempts to {doing}. Please wait before trying again.", taken)

    def headers(self, request: ApiRequest) -> Headers:
        """What an answer says of the limits that its request was counted for; nothing if there were none.

        ``X-RateLimit-*`` are those of the one that is nearest to its end.
        """
        told = request.quotas
        if not told:
            return ()
        if request.user_id is not None and (held := self._rules.of_players.get(request.route)) is not None:
            name, quota = held
            told = {**told, name: (quota, self._players.look(UserId(request.user_id), name, quota))}
        nearest = min(told.values(), key=_room)[1]
        policies = [_policy(name, taken.limit, quota.period_s) for name, (quota, taken) in told.items()]
        reset_s = math.ceil(self._clock.now_us() / 1_000_000 + nearest.reset_s)
        return (
            (b"x-ratelimit-limit", b"%d" % nearest.limit),
            (b"x-ratelimit-remaining", b"%d" % nearest.remaining),
            (b"x-ratelimit-reset", b"%d" % reset_s),
            (b"ratelimit-policy", b", ".join(policies)),
            (b"ratelimit", ", ".join([_state(name, taken) for name, (_, taken) in told.items()]).encode("ascii")),
        )

    def _count_for_worker(self, request: ApiRequest) -> None:
        """Without asking anybody: a flood must cost little."""
        quota, now_s = self._rules.worker, self._now_s()
        if now_s >= self._ends_s:
            self._served, self._ends_s = 0, now_s + quota.period_s
        self._served += 1
        if self._served > quota.count:
            taken = Taken(quota.count, 0, self._ends_s - now_s, allowed=False)
            self._note(request, WORKER, quota, taken)
            raise limited("This server has more requests than it serves in a minute. Please try again later.", taken)

    def _site(self, request: ApiRequest) -> str:
        peer = request.scope.get("client")
        address = str(peer[0]) if peer else ""  # a Unix socket has none
        site = self._sites.get(address)
        if site is None:
            if len(self._sites) >= SITES:
                self._sites.clear()
            site = self._sites[address] = self._site_of(address)
        return site

    def _note(self, request: ApiRequest, name: str, quota: Quota, taken: Taken) -> None:
        known = request.quotas.get(name)
        if known is None or (taken.allowed, taken.remaining) < (known[1].allowed, known[1].remaining):
            request.quotas[name] = (quota, taken)


@lru_cache(maxsize=1024)  # there are as many as limits, and what standing makes of them
def _policy(name: str, limit: int, period_s: float) -> bytes:
    return b'"%b";q=%d;w=%d' % (name.encode("ascii"), limit, period_s)


def _state(name: str, taken: Taken) -> str:
    return f'"{name}";r={taken.remaining};t={math.ceil(taken.reset_s)}'


def _room(counted: tuple[Quota, Taken]) -> tuple[bool, float]:
    taken = counted[1]
    return taken.allowed, taken.remaining / taken.limit


def limited(sentence: str, taken: Taken) -> ApiError:
    """One more than is allowed."""
    return ApiError(429, "Rate limit exceeded", "RATE_LIMITED", sentence, retry_after_s=taken.reset_s)
