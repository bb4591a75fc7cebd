"""Players and sessions in memory."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from actors.ports import (
    Account,
    Act,
    AuditEvent,
    EmailTaken,
    EventId,
    NameTaken,
    NewAccount,
    NewSession,
    OpenedSession,
    OutOfReach,
    Registered,
    RoleChanged,
    Rotated,
    RotationRefused,
    SessionId,
    SignedOut,
    UnknownUser,
    UserId,
)
from tests.fakes.audit import FakeAuditLog
from tests.fakes.faults import Faults
from tests.fakes.players import Player, Players


@dataclass(slots=True)
class _Session:
    user_id: UserId
    opened: OpenedSession
    revoked_us: int | None = None


@dataclass(slots=True)
class _Token:
    session_id: SessionId
    expires_us: int
    used_us: int | None = None
    successor: bytes | None = None


class FakeAccountStore:
    """`AccountStore` in memory; `faults` are its switches, `audit` is told of what others do to players.

    `ended` has what is announced, in order: sessions that have ended, and players who were erased (`erased`).
    """

    def __init__(self, players: Players, audit: FakeAuditLog | None = None) -> None:
        self.players = players
        self.audit = audit or FakeAuditLog()
        self._told: dict[EventId, dict[str, Any]] = {}
        self.faults = Faults()
        self._sessions: dict[SessionId, _Session] = {}
        self._tokens: dict[bytes, _Token] = {}
        self.ended: list[SessionId | UserId] = []
        self.erased: list[UserId] = []

    async def register(self, account: NewAccount) -> Registered | NameTaken | EmailTaken:
        """See `AccountStore.register`."""
        return await self.faults.around(lambda: self._register(account))

    def _register(self, account: NewAccount) -> Registered | NameTaken | EmailTaken:
        keys = (account.user_id, account.username_key, account.email_key)
        for row in self.players.rows.values():
            if keys == (row.user_id, row.username_key, row.email_key):
                return Registered(row.fact())
        if any(row.username_key == account.username_key for row in self.players.rows.values()):
            return NameTaken()
        if account.look is not None and any(row.look == account.look for row in self.players.rows.values()):
            return NameTaken(alike=True)
        if any(row.email_key == account.email_key for row in self.players.rows.values()):
            return EmailTaken()
        if account.user_id in self.players.rows:  # of who was erased meanwhile; the real one has no better word for it
            return EmailTaken()
        row = Player(account.user_id, account.username, *keys[1:], account.password_hash, self.players.moment())
        row.email, row.look = account.email, account.look
        self.players.rows[account.user_id] = row
        self.players.changed(account.user_id)
        return Registered(row.fact())

    async def account_named(self, username_key: str) -> Account | None:
        """See `AccountStore.account_named`."""
        return await self.faults.around(lambda: self._named(username_key))

    def _named(self, username_key: str) -> Account | None:
        rows = [row for row in self.players.rows.values() if row.username_key == username_key]
        return self._account(rows[0].user_id) if rows else None

    def _account(self, user_id: UserId) -> Account:
        row = self.players.rows[user_id]
        return Account(row.user_id, row.username, row.password_hash, row.role, row.banned)

    async def account_of(self, user_id: UserId) -> Account | None:
        """See `AccountStore.account_of`."""
        return await self.faults.around(lambda: self._account(user_id) if user_id in self.players.rows else None)

    async def open_session(self, session: NewSession) -> bool:
        """See `AccountStore.open_session`."""
        return await self.faults.around(lambda: self._open(session))

    def _open(self, session: NewSession) -> bool:
        if session.session_id in self._sessions:
            return True
        if session.user_id not in self.players.rows:
            return False
        account = self._account(session.user_id)
        if session.proven is not None and (account != session.proven or account.banned):
            return False
        times = (session.issued_us, session.issued_us, session.expires_us)
        opened = OpenedSession(session.session_id, *times, session.source)
        self._sessions[session.session_id] = _Session(session.user_id, opened)
        self._tokens.setdefault(session.refresh_hash, _Token(session.session_id, session.expires_us))
        return True

    async def sessions(self, user_id: UserId, *, now_us: int) -> list[OpenedSession]:
        """See `AccountStore.sessions`."""
        return await self.faults.around(lambda: self._listed(user_id, now_us))

    def _listed(self, user_id: UserId, now_us: int) -> list[OpenedSession]:
        mine = [each.opened for each in self._open_ones(user_id).values() if each.opened.expires_us > now_us]
        return sorted(mine, key=lambda each: (-each.created_us, each.session_id))

    def _open_ones(self, user_id: UserId) -> dict[SessionId, _Session]:
        return {
            key: each for key, each in self._sessions.items() if each.user_id == user_id and each.revoked_us is None
        }

    async def end_sessions(
        self, user_id: UserId, *, now_us: int, only: SessionId | None = None, spared: SessionId | None = None
    ) -> list[SessionId]:
        """See `AccountStore.end_sessions`."""
        return await self.faults.around(lambda: self._end_many(user_id, now_us, only, spared))

    def _end_many(
        self, user_id: UserId, now_us: int, only: SessionId | None, spared: SessionId | None
    ) -> list[SessionId]:
        ended = [key for key in self._open_ones(user_id) if only in {None, key} and key != spared]
        for key in ended:
            self._end(key, now_us)
        return ended

    async def change_password(
        self, proven: Account, password_hash: str, *, spared: SessionId, now_us: int
    ) -> list[SessionId] | None:
        """See `AccountStore.change_password`."""
        return await self.faults.around(lambda: self._change_password(proven, password_hash, spared, now_us))

    def _change_password(
        self, proven: Account, password_hash: str, spared: SessionId, now_us: int
    ) -> list[SessionId] | None:
        row = self.players.rows[proven.user_id]
        if row.password_hash not in {proven.password_hash, password_hash}:
            return None
        row.password_hash = password_hash
        return self._end_many(proven.user_id, now_us, None, spared)

    async def change_role(
        self, user_id: UserId, role: str, act: Act, *, beyond: Collection[str] = ()
    ) -> RoleChanged | OutOfReach | UnknownUser:
        """See `AccountStore.change_role`."""
        return await self.faults.around(lambda: self._change_role(user_id, role, act, beyond))

    def _change_role(
        self, user_id: UserId, role: str, act: Act, beyond: Collection[str]
    ) -> RoleChanged | OutOfReach | UnknownUser:
        row = self.players.rows.get(user_id)
        if row is None:
            return UnknownUser()
        told = self._told.get(act.event_id)
        if told is None and row.role in beyond:
            return OutOfReach(row.role)
        if told is None:
            told = {"before": row.role, "after": role}
            if row.role != role:
                row.role = role
                self.changed(user_id)
            self._record(act.event(user_id, "ROLE_CHANGED"), told)
        return RoleChanged(**told)

    async def sign_out(
        self, user_id: UserId, act: Act, *, beyond: Collection[str] = ()
    ) -> SignedOut | OutOfReach | UnknownUser:
        """See `AccountStore.sign_out`."""
        return await self.faults.around(lambda: self._sign_out(user_id, act, beyond))

    def _sign_out(self, user_id: UserId, act: Act, beyond: Collection[str]) -> SignedOut | OutOfReach | UnknownUser:
        row = self.players.rows.get(user_id)
        if row is None:
            return UnknownUser()
        if act.event_id in self._told:
            return SignedOut(self._told[act.event_id]["ended"], ())
        if row.role in beyond:
            return OutOfReach(row.role)
        ended = self._end_many(user_id, self.players.moment(), None, None)
        self._record(act.event(user_id, "SESSIONS_ENDED"), {"ended": len(ended)})
        return SignedOut(len(ended), tuple(ended))

    def _record(self, event: AuditEvent, told: dict[str, Any]) -> None:
        self._told[event.event_id] = told
        self.audit.put([replace(event, details=told)])

    async def rotate(
        self, presented: bytes, successor: bytes, *, now_us: int, expires_us: int, grace_us: int
    ) -> Rotated | RotationRefused:
        """See `AccountStore.rotate`."""
        return await self.faults.around(lambda: self._rotate(presented, successor, now_us, expires_us, grace_us))

    def _rotate(
        self, presented: bytes, successor: bytes, now_us: int, expires_us: int, grace_us: int
    ) -> Rotated | RotationRefused:
        token = self._tokens.get(presented)
        if token is None:
            return RotationRefused("unknown")
        session = self._sessions[token.session_id]
        reason = self._against(token, session, successor, now_us, grace_us)
        if reason == "reused":
            self._end(token.session_id, now_us)
        if reason is not None:
            return RotationRefused(reason, token.session_id)
        if token.used_us is None:
            token.used_us, token.successor = now_us, successor
            self._tokens[successor] = _Token(token.session_id, expires_us)
            longer = max(session.opened.expires_us, expires_us)
            session.opened = replace(session.opened, used_us=now_us, expires_us=longer)
        return Rotated(token.session_id, self._account(session.user_id))

    def _against(self, token: _Token, session: _Session, successor: bytes, now_us: int, grace_us: int) -> str | None:
        if session.revoked_us is not None:
            return "revoked"
        if token.used_us is not None:
            followed = self._tokens.get(token.successor or b"")
            again = token.successor == successor and (followed is None or followed.used_us is None)
            if not again or now_us > token.used_us + grace_us:
                return "reused"
        elif token.expires_us <= now_us:
            return "expired"
        return "banned" if self.players.rows[session.user_id].banned else None

    async def revoke_session(self, session_id: SessionId, *, now_us: int) -> None:
        """See `AccountStore.revoke_session`."""
        await self.faults.around(lambda: self._revoke(session_id, now_us))

    def _revoke(self, session_id: SessionId, now_us: int) -> None:
        session = self._sessions.get(session_id)
        if session is not None and session.revoked_us is None:
            self._end(session_id, now_us)

    def _end(self, session_id: SessionId, now_us: int) -> None:
        self._sessions[session_id].revoked_us = now_us
        self.ended.append(session_id)

    def erase(self, user_id: UserId, name: str) -> None:
        """As the real one does it in one transaction: only what was scored stays, under another name and hidden."""
        row = self.players.rows[user_id]
        row.username, row.username_key, row.email_key, row.look = name, name, f"erased:{user_id}", f"erased:{user_id}"
        row.email, row.password_hash, row.role, row.country, row.avatar = "", "none", "user", None, None
        row.banned = True
        row.version += 1
        self.players.changed(user_id)
        self.changed(user_id)
        self.erased.append(user_id)
        self.ended.append(user_id)

    def changed(self, user_id: UserId) -> None:
        """A ban, or another role: all sessions of the player end, as triggers see to in the real one."""
        for session_id, session in self._sessions.items():
            if session.user_id == user_id and session.revoked_us is None:
                self._end(session_id, self.players.moment())
