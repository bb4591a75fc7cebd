"""What the core asks of the world: records that cross the border, and the Protocols that adapters and fakes fulfil.

Times are integers, microseconds since the Unix epoch (``_us``). Ids are text. Scores are integers in 0 .. 2**53.
An adapter raises only the errors that stand here; nothing of a driver leaks through.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import NamedTuple, NewType, Protocol

UserId = NewType("UserId", str)
OperationId = NewType("OperationId", str)
SessionId = NewType("SessionId", str)
BoardId = NewType("BoardId", str)

ALL_TIME = BoardId("all_time")
MAX_SCORE = 2**53

#: As the end of a token that must never be forgotten: the last second of the year 9999.
NEVER_US = 253_402_300_799_000_000


# --- errors of the stores ----------------------------------------------------------------------------------------


class StoreError(Exception):
    """Root of what a store may raise."""


class StoreUnavailable(StoreError):
    """The store did not do it, and nothing has changed. The same call may be made again later."""


class CommitUnknown(StoreError):
    """The connection was lost while the transaction was being committed: it may stand or not. Ask the same again."""


class StoreFault(StoreError):
    """The store rejects the call itself; nothing changed, and the same call would fail again. A mistake of ours."""


# --- scores ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from, for the audit."""

    address: str | None
    user_agent: str | None


class ScoreWrite(NamedTuple):
    """One score to make durable. `operation_id` names it for ever: committing it twice counts once.

    A tuple, as are facts and what was committed: twenty thousand a second are made, in a third of a dataclass's time.
    """

    operation_id: OperationId
    user_id: UserId
    points: int
    action_type: str
    token_hash: bytes
    token_expires_us: int
    idempotency_key: str | None
    request_hash: bytes
    origin: Origin


class ScoreFact(NamedTuple):
    """A player's total after a write (or at registration: version 0). `version` orders the facts of one player."""

    user_id: UserId
    username: str
    score: int
    version: int
    reached_us: int


@dataclass(frozen=True, slots=True)
class Members:
    """Many players' totals as columns of the same length: what a `ScoreFact` has, without an object for each player.

    `share` is how much of all has been told with these, from 0 to 1.
    """

    user_ids: Sequence[UserId]
    usernames: Sequence[str]
    scores: Sequence[int]
    versions: Sequence[int]
    reached_us: Sequence[int]
    share: float

    def part(self, start: int, stop: int) -> Members:
        """These of them, with the same share."""
        return Members(
            self.user_ids[start:stop],
            self.usernames[start:stop],
            self.scores[start:stop],
            self.versions[start:stop],
            self.reached_us[start:stop],
            self.share,
        )


class Committed(NamedTuple):
    """The write is on disk; `fact` is the total that it led to, `points` what it added.

    `again`: its operation had been committed before; these are the total and the points of that first time.
    """

    fact: ScoreFact
    points: int
    again: bool = False


@dataclass(frozen=True, slots=True)
class Repeated:
    """The idempotency key is known with the same request: the first answer. Ranks are None if it was never given."""

    fact: ScoreFact
    points: int
    previous_rank: int | None
    new_rank: int | None


@dataclass(frozen=True, slots=True)
class KeyConflict:
    """The idempotency key is known with another request."""


@dataclass(frozen=True, slots=True)
class TokenSpent:
    """The action token has been spent by another operation."""


@dataclass(frozen=True, slots=True)
class UnknownUser:
    """No such player."""


@dataclass(frozen=True, slots=True)
class BannedUser:
    """The player may not score."""


CommitOutcome = Committed | Repeated | KeyConflict | TokenSpent | UnknownUser | BannedUser


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """The ranks that were told for an idempotency key, so that a retry hears the same."""

    user_id: UserId
    idempotency_key: str
    previous_rank: int | None
    new_rank: int | None


@dataclass(frozen=True, slots=True)
class KeyLookup:
    """A question whether an idempotency key is known, and with this request."""

    user_id: UserId
    idempotency_key: str
    request_hash: bytes


class MemberPages(Protocol):
    """One reading of all players."""

    async def next(self) -> Members | None:
        """Players who have not been told yet, in any order; None when all have been. Raises StoreUnavailable."""
        ...


class ScoreStore(Protocol):
    """The ledger: exactly once, in one transaction a call."""

    async def commit(self, writes: Sequence[ScoreWrite], answers: Sequence[AnswerRecord] = ()) -> list[CommitOutcome]:
        """Make all writes durable in one transaction; outcomes stand in the order of `writes`.

        The order of checks for one write: operation known (`Committed` with `again`), idempotency key known
        (`Repeated` or `KeyConflict`), user unknown or banned, token spent, else `Committed`. Several writes of one
        player may stand in one call; their versions follow the order given, and so does `reached_us` among all
        writes of a call.
        An `AnswerRecord` fills the ranks of a key once; later ones for the same key change nothing. Answers are kept
        before the writes are judged. A total stops at `MAX_SCORE`; `points` tell what a write really added.

        Raises:
            StoreUnavailable: nothing changed.
            CommitUnknown: call again with the same arguments.
        """
        ...

    async def recall(self, lookups: Sequence[KeyLookup]) -> list[Repeated | KeyConflict | None]:
        """What is known of idempotency keys, in the order asked."""
        ...

    async def members_after(self, user_id: UserId | None, limit: int) -> list[ScoreFact]:
        """The totals of up to `limit` players who are not banned, by ascending id, behind `user_id`."""
        ...

    def all_members(self) -> AbstractAsyncContextManager[MemberPages]:
        """Read the totals of all players who are not banned, each once, as they all stood at one moment.

        The moment is behind the beginning of the block, so whatever was committed before it is seen. What is committed
        later is not, and comes to a board as facts. Raises StoreUnavailable.
        """
        ...

    async def purge(self, *, before_us: int) -> int:
        """Forget spent tokens that expired, and idempotency keys made, before that time; returns how many rows."""
        ...


class ActionCatalogue(Protocol):
    """What can be done, and what it is worth."""

    async def actions(self) -> dict[str, int]:
        """The points of each type of action that counts now. Raises StoreUnavailable."""
        ...


# --- accounts ----------------------------------------------------------------------------------------------------


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
    origin: Origin


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

    async def revoked_since(self, since_us: int) -> list[SessionId]:
        """Sessions ended at or after that time: their access tokens must be refused."""
        ...


# --- what may be lost --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LoggedFacts:
    """One entry of the event log. `position` orders entries and is opaque otherwise."""

    position: str
    facts: tuple[ScoreFact, ...]


class EventLog(Protocol):
    """Carries committed facts between workers; bounded in length, may lose entries."""

    async def append(self, facts: Sequence[ScoreFact]) -> str:
        """Add one entry; returns its position. Raises StoreUnavailable."""
        ...

    async def read(self, after: str | None, limit: int) -> list[LoggedFacts]:
        """Up to `limit` entries behind a position (None: from the oldest kept)."""
        ...


class BoardCache(Protocol):
    """The sorted set of a board in Redis, for readers beside this process."""

    async def put(self, board: BoardId, facts: Sequence[ScoreFact]) -> None:
        """Raise the scores and set the cached names of players; a batch in one round trip.

        A score is never lowered, so facts may come late or twice. Raises StoreUnavailable.
        """
        ...

    async def top(self, board: BoardId, limit: int) -> list[tuple[UserId, int]]:
        """The best `limit` players with their scores, best first; equal scores by descending id, as Redis has them."""
        ...

    async def clear(self, board: BoardId) -> None:
        """Forget the board."""
        ...


# --- time and chance ---------------------------------------------------------------------------------------------


class WallClock(Protocol):
    """The time of day, given from outside so that tests can set it."""

    def now_us(self) -> int:
        """Microseconds since the Unix epoch, UTC."""
        ...


class Ids(Protocol):
    """Fresh ids and nonces."""

    def uuid(self) -> str:
        """A random UUID in its usual text form."""
        ...

    def nonce(self) -> str:
        """At least 96 random bits as lower-case hex."""
        ...
