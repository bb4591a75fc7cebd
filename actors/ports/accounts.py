"""Players as those who sign in, and the store of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from actors.ports.audit import Act
from actors.ports.facts import ScoreFact
from actors.ports.ids import SessionId, UserId
from actors.ports.scores import UnknownUser
from actors.ports.source import Source


@dataclass(frozen=True, slots=True)
class NewAccount:
    """A player to be. `username_key` and `email_key` are the folded forms that must be unique.

    So must be `look`, what the name looks like; None looks like nobody.
    """

    user_id: UserId
    username: str
    username_key: str
    email: str
    email_key: str
    password_hash: str
    look: str | None = None


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
    """Another account has this user name, or one that looks `alike`."""

    alike: bool = False


@dataclass(frozen=True, slots=True)
class EmailTaken:
    """Another account has this e-mail address."""


@dataclass(frozen=True, slots=True)
class NewSession:
    """A sign-in: the family of refresh tokens that begins with `refresh_hash`.

    `proven` is the account as it was when its owner proved to be that: what has changed since proves nothing.
    """

    session_id: SessionId
    user_id: UserId
    refresh_hash: bytes
    issued_us: int
    expires_us: int
    source: Source
    proven: Account | None = None


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A session that is open. `used_us`: when its tokens were exchanged last."""

    session_id: SessionId
    created_us: int
    used_us: int
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


@dataclass(frozen=True, slots=True)
class RoleChanged:
    """It is done, and in the audit."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class SignedOut:
    """It is done, and in the audit: how many sessions `ended`; which, unless it was done before."""

    ended: int
    sessions: tuple[SessionId, ...]


@dataclass(frozen=True, slots=True)
class OutOfReach:
    """The player has a role that whoever acts cannot reach; nothing was changed."""

    role: str


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

    async def account_of(self, user_id: UserId) -> Account | None:
        """The account with that id."""
        ...

    async def open_session(self, session: NewSession) -> bool:
        """Remember a new family of refresh tokens; False, and nothing is, if the account is not as it was `proven`."""
        ...

    async def sessions(self, user_id: UserId, *, now_us: int) -> list[OpenedSession]:
        """The player's open sessions, the newest first."""
        ...

    async def end_sessions(
        self, user_id: UserId, *, now_us: int, only: SessionId | None = None, spared: SessionId | None = None
    ) -> list[SessionId]:
        """End the player's open sessions, or the one; which have been ended by this."""
        ...

    async def change_password(
        self, proven: Account, password_hash: str, *, spared: SessionId, now_us: int
    ) -> list[SessionId] | None:
        """Another password, and the end of all other sessions, in one transaction: which.

        None, and nothing is changed, if the account has another password than was `proven` (or than this one).
        """
        ...

    async def change_role(
        self, user_id: UserId, role: str, act: Act, *, beyond: Collection[str] = ()
    ) -> RoleChanged | OutOfReach | UnknownUser:
        """Another role, which ends all sessions of the player, and its record, in one transaction.

        Nothing, if the player has one of the roles that are `beyond` reach. The same act again changes nothing, and is
        answered as the first time, whatever the role is now.
        """
        ...

    async def sign_out(
        self, user_id: UserId, act: Act, *, beyond: Collection[str] = ()
    ) -> SignedOut | OutOfReach | UnknownUser:
        """End all sessions of the player, and record it, in one transaction; otherwise as `change_role`."""
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
