"""Accounts and sessions: register, login, refresh, logout."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

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
from scoreboard.api.answer import Answer
from scoreboard.api.errors import ApiError, banned, unauthorized
from scoreboard.api.granted import Granted, SessionAnswers
from scoreboard.api.idempotency import REPLAYED, id_of
from scoreboard.api.request import ApiRequest
from scoreboard.api.world import ApiWorld
from scoreboard.security import names, refresh
from scoreboard.security.client_secret import client_secret
from scoreboard.security.errors import PasswordRefused
from scoreboard.security.lookalikes import look
from scoreboard.security.passwords import PASSWORD, new_secret
from scoreboard.security.turns import Asker
from scoreboard.wire.texts import Clean

ROLE = "user"  # of everybody who registers


class RegisterBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A player to be. The rules of names go further than a pattern can say."""

    username: Annotated[str, Meta(extra_json_schema=names.USERNAME)]
    email: Annotated[str, Meta(extra_json_schema=names.EMAIL)]
    password: Annotated[str, Meta(extra_json_schema=PASSWORD)]


class LoginBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Name and password."""

    username: Clean
    password: Clean


class RefreshBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The refresh token that was handed out last."""

    refreshToken: Annotated[str, Meta(extra_json_schema={"pattern": refresh.PATTERN})]  # noqa: N815 - as document A spells it


class AuthRoutes:
    """The routes under ``/api/auth``, and in document B's words under ``/api/v1/auth``."""

    def __init__(self, world: ApiWorld, answers: SessionAnswers) -> None:
        self._world = world
        self._answers = answers

    async def register(self, request: ApiRequest) -> Answer:
        """A new account with its first session. Everything that can be refused cheaply is, before bcrypt runs.

        With a key the account's id follows from the request, so that who asks again is known for who asked first.
        """
        key = request.key
        body: RegisterBody = request.body
        username, email = names.username(body.username), names.email(body.email)
        new_secret(body.password)
        self._world.unguessable(body.password, (body.username, body.email))
        if self._world.gate is not None:
            await self._world.gate.register(request)
        said = f"{username.key}\n{email.key}\n{body.password}"
        user_id = UserId(self._world.ids.uuid() if key is None else id_of(key, said, self._world.refresh_key))
        found = await self._find(username.key)
        if found is not None:
            by = self._world.asker_of(request, username.key)
            if key is None or not (await self._verified(found, body.password, by) and found.user_id == user_id):
                raise _name_taken()
            return self._answers.registered(await self._sign_in(found, request), REPLAYED)
        by = self._world.asker_of(request, username.key)
        password_hash = await self._world.passwords.hash(body.password, by=by)
        named = (username.text, username.key, email.text, email.key)
        account = NewAccount(user_id, *named, password_hash, look(username.text))
        token = refresh.new()
        session = self._new_session(account.user_id, token, request.came_from())
        await self._create(account, session)
        request.user_id = account.user_id
        granted = self._granted(account.user_id, account.username, ROLE, session.session_id, token)
        return self._answers.registered(granted)

    async def login(self, request: ApiRequest) -> Answer:
        """A new session for who knows the password. An unknown name is refused like, and as slowly as, a wrong one."""
        body: LoginBody = request.body
        name = names.fold(body.username)
        by = self._world.asker_of(request, name)
        if self._world.gate is not None:
            await self._world.gate.sign_in(request, name, known=by.known)
        self._world.passwords.require_room(by)
        account = await self._find(name)
        matches = await self._verified(account, body.password, by)
        if account is None or not matches:
            raise _not_known()
        granted = await self._sign_in(account, request)
        self._world.signed_in(request, name)
        return self._answers.signed_in(granted)

    async def refresh(self, request: ApiRequest) -> Answer:
        """The next pair of tokens. The same token within the grace gets the same successor."""
        body: RefreshBody = request.body
        presented = body.refreshToken
        if not refresh.has_shape(presented):
            raise _bad_refresh("unknown")
        world = self._world
        successor = refresh.successor(presented, world.refresh_key)
        outcome = await world.accounts.ask(self._rotation(presented, successor), within=world.write_within_s)
        if isinstance(outcome, RotationRefused):
            raise banned() if outcome.reason == "banned" else _bad_refresh(outcome.reason)
        account = outcome.account
        request.user_id = account.user_id
        granted = self._granted(account.user_id, account.username, account.role, outcome.session_id, successor)
        return self._answers.signed_in(granted)

    async def logout(self, request: ApiRequest) -> Answer:
        """The end of a session: all its tokens are refused from now on."""
        world = self._world
        end = EndSession(SessionId(request.caller.session_id), world.clock.now_us())
        await world.accounts.ask(end, within=world.write_within_s)
        return self._answers.signed_out()

    # --- parts ---

    async def _find(self, key: str) -> Account | None:
        return await self._world.accounts.ask(FindAccount(key), within=self._world.read_within_s)

    async def _create(self, account: NewAccount, session: NewSession) -> None:
        outcome = await self._world.accounts.ask(Register(account, session), within=self._world.write_within_s)
        if isinstance(outcome, NameTaken):
            raise _looks_taken() if outcome.alike else _name_taken()
        if isinstance(outcome, EmailTaken):
            raise ApiError(409, "Conflict", "EMAIL_TAKEN", "There is an account with this e-mail address already.")

    async def _verified(self, account: Account | None, password: str, by: Asker) -> bool:
        """Whether it is the account's password; takes as long where there is no account."""
        try:
            return await self._world.passwords.verify(password, account.password_hash if account else None, by=by)
        except PasswordRefused:  # too long to be anybody's
            return False

    async def _sign_in(self, account: Account, request: ApiRequest) -> Granted:
        """A new session of who has proven who it is."""
        if account.banned:
            raise banned()
        token = refresh.new()
        session = self._new_session(account.user_id, token, request.came_from(), account)
        if not await self._world.accounts.ask(OpenSession(session), within=self._world.write_within_s):
            raise _not_known()  # what was proven a moment ago does not hold any more
        request.user_id = account.user_id
        return self._granted(account.user_id, account.username, account.role, session.session_id, token)

    def _new_session(self, user_id: UserId, token: str, source: Source, proven: Account | None = None) -> NewSession:
        now_us = self._world.clock.now_us()
        return NewSession(
            session_id=SessionId(self._world.ids.uuid()),
            user_id=user_id,
            refresh_hash=refresh.hashed(token),
            issued_us=now_us,
            expires_us=now_us + self._world.refresh_lifetime_s * 1_000_000,
            source=source,
            proven=proven,
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

    def _granted(self, user_id: str, username: str, role: str, session_id: str, token: str) -> Granted:
        tokens = self._world.tokens
        access = tokens.issue(user_id=user_id, username=username, role=role, session_id=session_id)
        secret = client_secret(session_id, self._world.client_keys()[0])
        return Granted(user_id, username, access, token, tokens.lifetime_s, secret)


def _not_known() -> ApiError:
    return unauthorized("INVALID_CREDENTIALS", "The user name or the password is wrong.")


def _bad_refresh(reason: str) -> ApiError:
    if reason == "expired":
        return unauthorized("REFRESH_TOKEN_EXPIRED", "The refresh token has expired. Sign in again.")
    return unauthorized("REFRESH_TOKEN_INVALID", "The refresh token is not valid (any more). Sign in again.")


def _name_taken() -> ApiError:
    return ApiError(409, "Conflict", "USERNAME_TAKEN", "There is an account with this user name already.")


def _looks_taken() -> ApiError:
    sentence = "There is a user name that looks like this one already. Choose one that nobody takes for another."
    return ApiError(409, "Conflict", "USERNAME_TAKEN", sentence)
