"""Accounts and sessions: one writer, so that a request which goes away cannot leave anything half done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from actors.ledger.messages import Joined, LedgerUnavailable
from actors.ports import (
    Account,
    AccountStore,
    CommitUnknown,
    EmailTaken,
    NameTaken,
    NewAccount,
    NewSession,
    Registered,
    Rotated,
    RotationRefused,
    SessionId,
    StoreUnavailable,
)
from actors.runtime import Actor, ActorError, Question, Ref


@dataclass(frozen=True, slots=True)
class Register(Question[Registered | NameTaken | EmailTaken]):
    """Make an account and its first session; the player stands on the boards when this is answered."""

    account: NewAccount
    session: NewSession


@dataclass(frozen=True, slots=True)
class FindAccount(Question[Account | None]):
    """Who has this (folded) user name?"""

    username_key: str


@dataclass(frozen=True, slots=True)
class OpenSession(Question[None]):
    """Somebody has signed in."""

    session: NewSession


@dataclass(frozen=True, slots=True)
class Rotate(Question[Rotated | RotationRefused]):
    """Exchange a refresh token, by hash, for its successor."""

    presented: bytes
    successor: bytes
    now_us: int
    expires_us: int
    grace_us: int


@dataclass(frozen=True, slots=True)
class EndSession(Question[None]):
    """Sign out: the session's refresh tokens are worth nothing from now on."""

    session_id: SessionId
    now_us: int


class AccountsActor(Actor):
    """Asks the account store, one message at a time."""

    def __init__(self, store: AccountStore, ledger: Ref, *, ledger_within_s: float = 5.0) -> None:
        self._store = store
        self._ledger = ledger
        self._ledger_within_s = ledger_within_s

    async def receive(self, message: Any) -> object:
        """Answer one message; a store that is away refuses it."""
        try:
            return await self._answer(message)
        except (StoreUnavailable, CommitUnknown) as error:
            raise LedgerUnavailable("Accounts cannot be reached just now. Try again.") from error

    async def _answer(self, message: object) -> object:
        match message:
            case Register():
                return await self._register(message)
            case FindAccount(username_key):
                return await self._store.account_named(username_key)
            case OpenSession(session):
                await self._store.open_session(session)
                return None
            case Rotate(presented, successor, now_us, expires_us, grace_us):
                return await self._store.rotate(
                    presented, successor, now_us=now_us, expires_us=expires_us, grace_us=grace_us
                )
            case EndSession(session_id, now_us):
                await self._store.revoke_session(session_id, now_us=now_us)
                return None
        raise TypeError(f"accounts do not understand {message!r}")

    async def _register(self, message: Register) -> Registered | NameTaken | EmailTaken:
        outcome = await self._store.register(message.account)
        if isinstance(outcome, Registered):
            await self._store.open_session(message.session)
            await self._tell_boards(outcome)
        return outcome

    async def _tell_boards(self, outcome: Registered) -> None:
        try:
            await self._ledger.ask(Joined(outcome.fact), within=self._ledger_within_s)
        except ActorError:
            # The account stands. Its line appears at the latest with its first score.
            return
