"""Players as those who sign in, and the store of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from actors.ports.facts import ScoreFact
from actors.ports.ids import SessionId, UserId
from actors.ports.source import Source


@dataclass(frozen=True, slots=True)
class NewAccount:
    """A player to be. `username_key` and `email_key` are the folded forms that must be unique."""

    user_id: UserId
    username: str
    username_key: str
    email: str
    email_key: str
    password_hash: str


@dataclass(frozen=True, slots=True)
class Account:
    """What is needed to sign somebody in."""

    user_id: UserId
    username: str
    password_hash: str
    role: str
    banned: bool


@dataclass(frozen=True, slots=True)
class Registered:
    """The account exists now; `fact` puts it on the boards with score 0."""

    fact: ScoreFact


@dataclass(frozen=True, slots=True)
class NameTaken:
    """Another account has this user name."""


@dataclass(frozen=True, slots=True)
class EmailTaken:
    """Another account has this e-mail address."""


@dataclass(frozen=True, slots=True)
class NewSession:
    """A sign-in: the family of refresh tokens that begins with `refresh_hash`."""

    session_id: SessionId
    user_id: UserId
    refresh_hash: bytes
    issued_us: int
    expires_us: int
    source: Source


@dataclass(frozen=True, slots=True)
class Rotated:
    """The refresh token was exchanged (or exchanged again within the grace, for the same successor)."""

    session_id: SessionId
    account: Account


@dataclass(frozen=True, slots=True)
class RotationRefused:
    """`reason` is ``unknown``, ``expired``, ``revoked``, ``banned`` or ``reused`` (the family is now revoked)."""

    reason: str
    session_id: SessionId | None = None


class AccountStore(Protocol):
    """Players, their passwords' hashes and their sessions.

    Each call that writes may be repeated with the same arguments and then gives the same answer. So after
    StoreUnavailable, which here may also come after a connection was lost half-way, the caller simply asks again.

    Each end of a session is announced: here, by a ban, by another role. All sessions of a player end with these two.
    """

    async def register(self, account: NewAccount) -> Registered | NameTaken | EmailTaken:
        """Make an account; raises StoreUnavailable."""
        ...

    async def account_named(self, username_key: str) -> Account | None:
        """The account with that folded user name."""
        ...

    async def open_session(self, session: NewSession) -> None:
        """Remember a new family of refresh tokens."""
        ...

    async def rotate(
        self, presented: bytes, successor: bytes, *, now_us: int, expires_us: int, grace_us: int
    ) -> Rotated | RotationRefused:
        """Exchange one refresh token (by hash) for its successor (by hash), in one transaction.

        A token used before is accepted again only within `grace_us` of its first use, for the same successor, and
        only while that is itself unused; otherwise its family is revoked. So the successor must be derived from the
        token.
        """
        ...

    async def revoke_session(self, session_id: SessionId, *, now_us: int) -> None:
        """End a session. Ending it twice, or one that never was, changes nothing."""
        ...
