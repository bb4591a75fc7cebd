"""How often somebody may ask: judged before a route runs, and told with every answer."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import trio

from actors.limits.messages import Take
from actors.ports import Quota, Taken, WallClock, Wanted
from actors.runtime import ActorError, Ref
from scoreboard.api.answer import Headers
from scoreboard.api.errors import ApiError
from scoreboard.api.request import ApiRequest

API = "/api/"
ADDRESS = "address"
WORKER = "worker"
SIGN_IN = "sign-in"
LIMITS_WITHIN_S = 2.0


@dataclass(frozen=True, slots=True)
class GateRules:
    """How often the API may be asked from one address and of this worker, and how often somebody may try to sign in."""

    address: Quota = field(default_factory=lambda: Quota(100))
    worker: Quota = field(default_factory=lambda: Quota(10_000))
    sign_ins_of_address: Quota = field(default_factory=lambda: Quota(30))
    sign_ins_of_account: Quota = field(default_factory=lambda: Quota(10))


class Gate:
    """Stands before the routes of one worker.

    Args:
        limits: Understands ``actors.limits.messages``.
        site_of: What shares the limit of one address.
        now_s: A clock that only goes on.
    """

    def __init__(
        self,
        limits: Ref,
        rules: GateRules,
        site_of: Callable[[str], str],
        clock: WallClock,
        now_s: Callable[[], float] = trio.current_time,
    ) -> None:
        self._limits = limits
        self._rules = rules
        self._site_of = site_of
        self._clock = clock
        self._now_s = now_s
        self._ends_s = -math.inf
        self._served = 0

    def __repr__(self) -> str:
        return f"<Gate, {self._served} served in this window>"

    async def enter(self, request: ApiRequest) -> None:
        """Count one request for its address and for this worker.

        Raises:
            ApiError: one of them has had its share.
        """
        self._count_for_worker(request)
        wanted = Wanted(f"{ADDRESS}:{self._site(request)}", self._rules.address)
        try:
            (taken,) = await self._limits.ask(Take((wanted,)), within=LIMITS_WITHIN_S)
        except ActorError:
            return  # the worker's own limit holds all the same
        self._note(request, ADDRESS, self._rules.address, taken)
        if not taken.allowed:
            sentence = f"Maximum {taken.limit} requests per minute from one address. Please wait before trying again."
            raise limited(sentence, taken)

    async def sign_in(self, request: ApiRequest, account: str) -> None:
        """Count one attempt to sign in, for its address and for the account (its folded name), which need not exist.

        Raises:
            ApiError: too many; or it cannot be known, and then nobody signs in.
        """
        rules = self._rules
        named = hashlib.sha256(account.encode()).hexdigest()[:32]  # names are nobody's business in a cache
        wanted = (
            Wanted(f"{SIGN_IN}:{ADDRESS}:{self._site(request)}", rules.sign_ins_of_address),
            Wanted(f"{SIGN_IN}:account:{named}", rules.sign_ins_of_account),
        )
        try:
            told = await self._limits.ask(Take(wanted, strict=True), within=LIMITS_WITHIN_S)
        except ActorError as error:
            sentence = "Nobody can sign in just now. Try again in a moment."
            raise ApiError(503, "Service unavailable", "SERVICE_UNAVAILABLE", sentence, retry_after_s=1.0) from error
        for taken in told:
            self._note(request, SIGN_IN, rules.sign_ins_of_account, taken)
            if not taken.allowed:
                raise limited("Too many attempts to sign in. Please wait before trying again.", taken)

    def headers(self, request: ApiRequest) -> Headers:
        """What an answer says of the limits that its request was counted for; nothing if there were none.

        ``X-RateLimit-*`` are those of the one that is nearest to its end.
        """
        if not request.quotas:
            return ()
        told = request.quotas.values()
        nearest = min((taken for _, taken in told), key=lambda taken: (taken.allowed, taken.remaining / taken.limit))
        reset_s = math.ceil(self._clock.now_us() / 1_000_000 + nearest.reset_s)
        policies = ", ".join(f'"{name}";q={t.limit};w={quota.period_s:.0f}' for name, (quota, t) in _of(request))
        states = ", ".join(f'"{name}";r={t.remaining};t={math.ceil(t.reset_s)}' for name, (_, t) in _of(request))
        return (
            (b"x-ratelimit-limit", b"%d" % nearest.limit),
            (b"x-ratelimit-remaining", b"%d" % nearest.remaining),
            (b"x-ratelimit-reset", b"%d" % reset_s),
            (b"ratelimit-policy", policies.encode("ascii")),
            (b"ratelimit", states.encode("ascii")),
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
        return self._site_of(request.came_from().address or "")

    def _note(self, request: ApiRequest, name: str, quota: Quota, taken: Taken) -> None:
        known = request.quotas.get(name)
        if known is None or (taken.allowed, taken.remaining) < (known[1].allowed, known[1].remaining):
            request.quotas[name] = (quota, taken)


def _of(request: ApiRequest) -> list[tuple[str, tuple[Quota, Taken]]]:
    return list(request.quotas.items())


def limited(sentence: str, taken: Taken) -> ApiError:
    """One more than is allowed."""
    return ApiError(429, "Rate limit exceeded", "RATE_LIMITED", sentence, retry_after_s=taken.reset_s)
