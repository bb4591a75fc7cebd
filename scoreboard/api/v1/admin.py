"""``/api/v1/admin``: for those in charge of players. Every act has a reason, and stands in the audit."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Any, Literal, TypeVar

from msgspec import UNSET, Meta, Struct, UnsetType, json

from actors.ledger.messages import ChangeRole, ChangeStanding, FindProfile, FindStandings, SignOut
from actors.ports import (
    UNCHANGED,
    Act,
    AuditEvent,
    EventId,
    EventKind,
    FraudEvent,
    OutOfReach,
    PlayerStanding,
    Profile,
    StandingChange,
    UnknownUser,
    UserId,
)
from scoreboard.api.answer import Answer
from scoreboard.api.dialects import succeeded
from scoreboard.api.errors import ApiError, forbidden, no_such_user, no_timestamp
from scoreboard.api.idempotency import id_of
from scoreboard.api.request import ApiRequest
from scoreboard.api.world import ApiWorld
from scoreboard.security.roles import beyond, may_act_on
from scoreboard.security.tokens import Caller
from scoreboard.wire.texts import Clean
from scoreboard.wire.times import iso, moment_of

USER_PATH = "/api/v1/admin/users/{userId}"
STANDING_PATH = f"{USER_PATH}/standing"
ROLE_PATH = f"{USER_PATH}/role"
SESSIONS_PATH = f"{USER_PATH}/sessions/end"
AUDIT_PATH = "/api/v1/admin/audit"
FRAUD_PATH = "/api/v1/admin/fraud"

R = TypeVar("R")
Reason = Annotated[Clean, Meta(min_length=1, max_length=500)]


class StandingBody(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What shall be otherwise, and why; `restrictedUntil` is null to lift it."""

    reason: Reason
    flagged: bool | UnsetType = UNSET
    restricted_until: str | UnsetType | None = UNSET
    quarantined: bool | UnsetType = UNSET
    banned: bool | UnsetType = UNSET
    tier: Literal["free", "premium"] | UnsetType = UNSET
    reputation: Annotated[int, Meta(ge=-100, le=100)] | UnsetType = UNSET


class RoleBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Another role, and why."""

    role: Literal["user", "premium", "moderator", "admin"]
    reason: Reason


class ReasonBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Why."""

    reason: Reason


class AdminRoutes:
    """Looking at players, and acting on them. Nobody acts on who has an equal or a higher role, oneself included."""

    def __init__(self, world: ApiWorld) -> None:
        self._world = world

    async def user(self, _: ApiRequest, userId: str) -> Answer:  # noqa: N803 - as it stands in the path
        """Who it is, and how it stands."""
        profile = await self._profile(userId)
        return succeeded(_told(profile, await self._standing(profile.user_id)))

    async def change_standing(self, request: ApiRequest, userId: str) -> Answer:  # noqa: N803
        """Impose or lift something; the boards, and all workers, know when this is answered or soon after."""
        change, reach = _change_of(request.body), beyond(_caller(request).role)
        asked = ChangeStanding(UserId(userId.lower()), change, self._act(request), reach)
        outcome = _done(await self._world.standing.ask(asked, within=self._world.write_within_s))
        return succeeded({"before": _standing_json(outcome.before), "after": _standing_json(outcome.after)})

    async def change_role(self, request: ApiRequest, userId: str) -> Answer:  # noqa: N803
        """Another role; all sessions of the player end by it."""
        world, role, own = self._world, request.body.role, _caller(request).role
        if not may_act_on(own, role) and role != own:
            raise forbidden("You may not give a role above your own.", reason="role")
        asked = ChangeRole(UserId(userId.lower()), role, self._act(request), beyond(own))
        changed = _done(await world.accounts.ask(asked, within=world.write_within_s))
        return succeeded({"before": changed.before, "after": changed.after})

    async def end_sessions(self, request: ApiRequest, userId: str) -> Answer:  # noqa: N803
        """Sign the player out everywhere."""
        world = self._world
        asked = SignOut(UserId(userId.lower()), self._act(request), beyond(_caller(request).role))
        return succeeded({"ended": _done(await world.accounts.ask(asked, within=world.write_within_s)).ended})

    async def audit(self, request: ApiRequest) -> Answer:
        """What happened to one player, or to all, the newest first; scores stand in the ledger."""
        asked = request.asked
        user_id = None if asked["userId"] is None else UserId(asked["userId"].lower())
        reading = self._world.audit_log.events(user_id=user_id, limit=asked["limit"], offset=asked["offset"])
        return succeeded({"events": [_event_json(each) for each in await self._world.read(reading)]})

    async def fraud(self, request: ApiRequest) -> Answer:
        """What rules found with one player, or with all, the newest first."""
        asked = request.asked
        user_id = None if asked["userId"] is None else UserId(asked["userId"].lower())
        page = {"rule": asked["rule"], "limit": asked["limit"], "offset": asked["offset"]}
        found = await self._world.read(self._world.fraud.found(user_id=user_id, **page))
        return succeeded({"findings": [_finding_json(each) for each in found]})

    # --- parts ---

    async def _profile(self, user_id: str) -> Profile:
        found = await self._world.accounts.ask(FindProfile(UserId(user_id.lower())), within=self._world.read_within_s)
        if found is None:
            raise no_such_user()
        return found

    async def _standing(self, user_id: UserId) -> PlayerStanding:
        found = await self._world.standing.ask(FindStandings((user_id,)), within=self._world.read_within_s)
        return found.get(user_id, PlayerStanding())

    def _act(self, request: ApiRequest) -> Act:
        """What is recorded of this request. With a key it has the same name each time, and so counts once.

        Another request is another act also with that key: where no answers are kept, nobody else can tell them apart.
        """
        world, by = self._world, f"user:{_caller(request).user_id}"
        said = f"{by}\n{request.method} {request.path.lower()}\n{sha256(json.encode(request.body)).hexdigest()}"
        name = world.ids.uuid() if request.key is None else id_of(request.key, said, world.refresh_key)
        where = (request.came_from(), request.request_id, f"{request.method} {request.route}")
        return Act(EventId(name), world.clock.now_us(), EventKind.ACT, by, request.body.reason, *where)


def _caller(request: ApiRequest) -> Caller:
    caller: Caller = request.caller
    return caller


def _done(outcome: R | OutOfReach | UnknownUser) -> R:
    if isinstance(outcome, UnknownUser):
        raise no_such_user()
    if isinstance(outcome, OutOfReach):
        raise _out_of_reach()
    return outcome


def _out_of_reach() -> ApiError:
    return forbidden("You may act on players of a lesser role only.", reason="role")


def _change_of(body: StandingBody) -> StandingChange:
    until_us: Any = UNCHANGED if body.restricted_until is UNSET else None
    if isinstance(body.restricted_until, str):
        until_us = moment_of(body.restricted_until)
        if until_us is None:
            raise no_timestamp()
    plain = {name: UNCHANGED if (said := getattr(body, name)) is UNSET else said for name in _AS_SAID}
    return StandingChange(restricted_until_us=until_us, **plain)


_AS_SAID = ("flagged", "quarantined", "banned", "tier", "reputation")


def _standing_json(standing: PlayerStanding) -> dict[str, Any]:
    until_us = standing.restricted_until_us
    return {
        "flagged": standing.flagged,
        "restrictedUntil": None if until_us is None else iso(until_us),
        "quarantined": standing.quarantined,
        "banned": standing.banned,
        "tier": standing.tier,
        "reputation": standing.reputation,
    }


def _told(profile: Profile, standing: PlayerStanding) -> dict[str, Any]:
    return {
        "id": profile.user_id,
        "username": profile.username,
        "role": profile.role,
        "createdAt": iso(profile.created_us),
        "lastActive": iso(profile.last_active_us),
        "standing": _standing_json(standing),
    }


def _event_json(event: AuditEvent) -> dict[str, Any]:
    return {
        "id": event.event_id,
        "at": iso(event.at_us),
        "until": iso(event.until_us),
        "times": event.times,
        "kind": event.kind.value,
        "what": event.what,
        "by": event.done_by,
        "userId": event.user_id,
        "site": event.site,
        "address": event.source.address,
        "agent": event.source.user_agent,
        "why": event.why,
        "requestId": event.request_id,
        "details": dict(event.details),
    }


def _finding_json(event: FraudEvent) -> dict[str, Any]:
    return {
        "id": event.event_id,
        "at": iso(event.at_us),
        "userId": event.user_id,
        "rule": event.rule,
        "severity": event.severity.value,
        "consequence": event.consequence.value,
        "explanation": event.explanation,
        "times": event.times,
    }
