"""Accounts and sessions: register, login, refresh, logout."""

from __future__ import annotations

from typing import Any

import msgspec

from actors.ledger.messages import EndSession, FindAccount, OpenSession, Register, Rotate
from actors.ports import (
    Account,
    EmailTaken,
    NameTaken,
    NewAccount,
    NewSession,
    RotationRefused,
    SessionId,
    Source,
    UserId,
)
from scoreboard.api import query
from scoreboard.api.answer import Answer, json_answer
from scoreboard.api.bearer import caller_of
from scoreboard.api.body import decode, require_nothing
from scoreboard.api.errors import ApiError, unauthorized
from scoreboard.api.request import ApiRequest
from scoreboard.api.world import ApiWorld
from scoreboard.security import names, refresh
from scoreboard.security.errors import PasswordRefused
from scoreboard.security.names import Name
from scoreboard.security.passwords import new_secret

ROLE = "user"  # of everybody who registers


class RegisterBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A player to be."""

    username: str
    email: str
    password: str


class LoginBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Name and password."""

    username: str
    password: str


class RefreshBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The refresh token that was handed out last."""

    refreshToken: str  # noqa: N815 - as document A spells it


class AuthRoutes:
    """The routes under ``/api/auth``."""

    def __init__(self, world: ApiWorld) -> None:
        self._world = world

    async def register(self, request: ApiRequest) -> Answer:
        """A new account with its first session. Everything that can be refused cheaply is, before bcrypt runs."""
        query.require_none(request)
        body = decode(request, RegisterBody)
        username, email = names.username(body.username), names.email(body.email)
        new_secret(body.password)
        if await self._find(username.key) is not None:
            raise _name_taken()
        password_hash = await self._world.passwords.hash(body.password)
        account = self._new_account(username, email, password_hash)
        token = refresh.new()
        session = self._new_session(account.user_id, token, request.came_from())
        await self._create(account, session)
        request.user_id = account.user_id
        granted = self._granted(account.user_id, account.username, ROLE, session.session_id, token)
        return json_answer({"userId": account.user_id, "username": account.username, **granted}, status=201)

    async def login(self, request: ApiRequest) -> Answer:
        """A new session for who knows the password. An unknown name is refused like, and as slowly as, a wrong one."""
        query.require_none(request)
        body = decode(request, LoginBody)
        account = await self._find(names.fold(body.username))
        try:
            matches = await self._world.passwords.verify(body.password, account.password_hash if account else None)
        except PasswordRefused:  # too long to be anybody's
            matches = False
        if account is None or not matches:
            raise unauthorized("INVALID_CREDENTIALS", "The user name or the password is wrong.")
        if account.banned:
            raise _banned()
        token = refresh.new()
        session = self._new_session(account.user_id, token, request.came_from())
        await self._world.accounts.ask(OpenSession(session), within=self._world.write_within_s)
        request.user_id = account.user_id
        return json_answer(self._granted(account.user_id, account.username, account.role, session.session_id, token))

    async def refresh(self, request: ApiRequest) -> Answer:
        """The next pair of tokens. The same token within the grace gets the same successor."""
        query.require_none(request)
        presented = decode(request, RefreshBody).refreshToken
        if not refresh.has_shape(presented):
            raise _bad_refresh("unknown")
        world = self._world
        successor = refresh.successor(presented, world.refresh_key)
        outcome = await world.accounts.ask(self._rotation(presented, successor), within=world.write_within_s)
        if isinstance(outcome, RotationRefused):
            raise _banned() if outcome.reason == "banned" else _bad_refresh(outcome.reason)
        account = outcome.account
        request.user_id = account.user_id
        return json_answer(
            self._granted(account.user_id, account.username, account.role, outcome.session_id, successor)
        )

    async def logout(self, request: ApiRequest) -> Answer:
        """The end of a session: all its tokens are refused from now on."""
        query.require_none(request)
        world = self._world
        caller = caller_of(request, world.tokens)
        require_nothing(request)
        end = EndSession(SessionId(caller.session_id), world.clock.now_us())
        await world.accounts.ask(end, within=world.write_within_s)
        return json_answer({"success": True})

    # --- parts ---

    async def _find(self, key: str) -> Account | None:
        return await self._world.accounts.ask(FindAccount(key), within=self._world.read_within_s)

    async def _create(self, account: NewAccount, session: NewSession) -> None:
        outcome = await self._world.accounts.ask(Register(account, session), within=self._world.write_within_s)
        if isinstance(outcome, NameTaken):
            raise _name_taken()
        if isinstance(outcome, EmailTaken):
            raise ApiError(409, "Conflict", "EMAIL_TAKEN", "There is an account with this e-mail address already.")

    def _new_account(self, username: Name, email: Name, password_hash: str) -> NewAccount:
        return NewAccount(
            user_id=UserId(self._world.ids.uuid()),
            username=username.text,
            username_key=username.key,
            email=email.text,
            email_key=email.key,
            password_hash=password_hash,
        )

    def _new_session(self, user_id: UserId, token: str, source: Source) -> NewSession:
        now_us = self._world.clock.now_us()
        return NewSession(
            session_id=SessionId(self._world.ids.uuid()),
            user_id=user_id,
            refresh_hash=refresh.hashed(token),
            issued_us=now_us,
            expires_us=now_us + self._world.refresh_lifetime_s * 1_000_000,
            source=source,
        )

    def _rotation(self, presented: str, successor: str) -> Rotate:
        now_us = self._world.clock.now_us()
        return Rotate(
            presented=refresh.hashed(presented),
            successor=refresh.hashed(successor),
            now_us=now_us,
            expires_us=now_us + self._world.refresh_lifetime_s * 1_000_000,
            grace_us=self._world.refresh_grace_s * 1_000_000,
        )

    def _granted(self, user_id: str, username: str, role: str, session_id: str, token: str) -> dict[str, Any]:
        tokens = self._world.tokens
        access = tokens.issue(user_id=user_id, username=username, role=role, session_id=session_id)
        return {"accessToken": access, "refreshToken": token, "expiresIn": tokens.lifetime_s}


def _bad_refresh(reason: str) -> ApiError:
    if reason == "expired":
        return unauthorized("REFRESH_TOKEN_EXPIRED", "The refresh token has expired. Sign in again.")
    return unauthorized("REFRESH_TOKEN_INVALID", "The refresh token is not valid (any more). Sign in again.")


def _name_taken() -> ApiError:
    return ApiError(409, "Conflict", "USERNAME_TAKEN", "There is an account with this user name already.")


def _banned() -> ApiError:
    return ApiError(403, "Forbidden", "USER_BANNED", "This account is banned.")
