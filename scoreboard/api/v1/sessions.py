"""``/api/v1/users/me/sessions`` and ``/api/v1/auth/password``: a player's own sessions, and the key to them."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from actors.ledger.messages import ChangePassword, EndSessions, FindAccountOf, FindSessions
from actors.ports import Account, OpenedSession, SessionId, UserId
from scoreboard.api.answer import Answer
from scoreboard.api.dialects import succeeded
from scoreboard.api.errors import ApiError, no_such_user, unauthorized
from scoreboard.api.request import ApiRequest
from scoreboard.api.world import ApiWorld
from scoreboard.security import names
from scoreboard.security.errors import PasswordRefused
from scoreboard.security.passwords import PASSWORD, new_secret
from scoreboard.security.tokens import Caller
from scoreboard.security.turns import Asker
from scoreboard.wire.texts import Clean
from scoreboard.wire.times import iso

PATH = "/api/v1/users/me/sessions"
ONE_PATH = f"{PATH}/{{sessionId}}"
PASSWORD_PATH = "/api/v1/auth/password"  # noqa: S105 - an address


class PasswordBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The password that holds, and the one that shall."""

    current_password: Clean
    new_password: Annotated[str, Meta(extra_json_schema=PASSWORD)]


class SessionRoutes:
    """Seeing and ending one's sessions. Others' are never touched: they are looked for among one's own."""

    def __init__(self, world: ApiWorld) -> None:
        self._world = world

    async def listed(self, request: ApiRequest) -> Answer:
        """All that are open, the newest first."""
        world, caller = self._world, _caller(request)
        question = FindSessions(UserId(caller.user_id), world.clock.now_us())
        found = await world.accounts.ask(question, within=world.read_within_s)
        return succeeded({"sessions": [_told(each, caller.session_id) for each in found]})

    async def end(self, request: ApiRequest, sessionId: str) -> Answer:  # noqa: N803 - as it stands in the path
        """One of them, this one included; its tokens are refused from now on."""
        ended = await self._end(request, only=SessionId(sessionId.lower()))
        if not ended:
            message = "You have no such session, or it has ended."
            raise ApiError(404, "Not found", "NOT_FOUND", message, details={"sessionId": sessionId[:40]})
        return succeeded({"ended": ended})

    async def end_others(self, request: ApiRequest) -> Answer:
        """All but this one."""
        return succeeded({"ended": await self._end(request, spared=SessionId(_caller(request).session_id))})

    async def change_password(self, request: ApiRequest) -> Answer:
        """Another password for who knows the present one; all other sessions end with it."""
        world, caller, body = self._world, _caller(request), request.body
        account = await self._account(caller)
        new_secret(body.new_password)
        world.unguessable(body.new_password, (account.username,))
        by = world.asker_of(request, names.fold(account.username), account.user_id)
        if world.gate is not None:
            await world.gate.change_password(request, account.user_id, known=by.known)
        if not await self._knows(account, body.current_password, by):
            raise unauthorized("INVALID_CREDENTIALS", "The present password is wrong.")
        hashed = await world.passwords.hash(body.new_password, by=by)
        change = ChangePassword(account, hashed, SessionId(caller.session_id), world.clock.now_us())
        ended = await world.accounts.ask(change, within=world.write_within_s)
        if ended is None:  # somebody else has changed it meanwhile
            raise unauthorized("INVALID_CREDENTIALS", "The present password is wrong.")
        return succeeded({"ended": ended}, "Password changed successfully")

    async def _account(self, caller: Caller) -> Account:
        found = await self._world.accounts.ask(FindAccountOf(UserId(caller.user_id)), within=self._world.read_within_s)
        if found is None:
            raise no_such_user()
        return found

    async def _knows(self, account: Account, password: str, by: Asker) -> bool:
        try:
            return await self._world.passwords.verify(password, account.password_hash, by=by)
        except PasswordRefused:  # too long to be anybody's
            return False

    async def _end(self, request: ApiRequest, *, only: SessionId | None = None, spared: SessionId | None = None) -> int:
        world = self._world
        end = EndSessions(UserId(_caller(request).user_id), world.clock.now_us(), only, spared)
        return await world.accounts.ask(end, within=world.write_within_s)


def _caller(request: ApiRequest) -> Caller:
    caller: Caller = request.caller
    return caller


def _told(session: OpenedSession, current: str) -> dict[str, Any]:
    return {
        "id": session.session_id,
        "createdAt": iso(session.created_us),
        "lastUsedAt": iso(session.used_us),
        "expiresAt": iso(session.expires_us),
        "address": session.source.address,
        "agent": session.source.user_agent,
        "current": session.session_id == current,
    }
