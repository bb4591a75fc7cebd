"""What the ledger and the keeper of accounts may be asked, and what they answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from actors.leaderboard.messages import RankMove
from actors.ports import (
    Account,
    Act,
    BannedUser,
    BoardPart,
    CommitOutcome,
    EmailTaken,
    KeyConflict,
    LoggedFacts,
    NameTaken,
    NewAccount,
    NewSession,
    OpenedSession,
    OutOfReach,
    PlayerStanding,
    Profile,
    ProfileChange,
    Registered,
    RoleChanged,
    Rotated,
    RotationRefused,
    ScoreFact,
    ScoreWrite,
    SessionId,
    SignedOut,
    SpentToken,
    StandingChange,
    Stood,
    StoreError,
    TokenSpent,
    UnknownUser,
    UserId,
)
from actors.runtime import Question, Refusal

A = TypeVar("A")

#: What became of one write: what the store says of it, or why it says nothing.
Result = CommitOutcome | StoreError

#: How ranks moved, by player and version; empty while the board is away.
Moves = Mapping[tuple[str, int], RankMove]


class LedgerUnavailable(Refusal):
    """The store did not answer, or said that nothing changed. The same write may be sent again."""

    code = "SERVICE_UNAVAILABLE"
    retry_after_s = 1.0
    of_store = True


# --- to the ledger -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Receipt:
    """A score is on disk. Ranks count from 1, None where the board could not be asked in time."""

    fact: ScoreFact
    points: int
    previous_rank: int | None
    new_rank: int | None
    repeated: bool


@dataclass(frozen=True, slots=True)
class Commit(Question[Receipt | KeyConflict | TokenSpent | UnknownUser | BannedUser]):
    """Make one score durable."""

    write: ScoreWrite


@dataclass(frozen=True, slots=True)
class CommitMany(Question[A], Generic[A]):
    """Make many scores durable in one transaction, and answer all of them at once.

    The answer is what `then` makes of their results, in the order of `writes`, and of their moves. `then` belongs to
    who asks; it is pure, and quick. No write has an idempotency key: its operation names it for ever. Refused with
    LedgerUnavailable when none of them could be confirmed.
    """

    writes: tuple[ScoreWrite, ...]
    then: Callable[[Sequence[Result], Moves], A]


@dataclass(frozen=True, slots=True)
class Recall(Question[Receipt | KeyConflict | None]):
    """Is this idempotency key known? None if not."""

    user_id: UserId
    idempotency_key: str
    request_hash: bytes


@dataclass(frozen=True, slots=True)
class TellBoards(Question[None]):
    """A new player is on disk and belongs on the boards, or one has changed. Answered when the boards know."""

    fact: ScoreFact


# --- to the accounts ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Register(Question[Registered | NameTaken | EmailTaken]):
    """Make an account and its first session; the player stands on the boards when this is answered.

    If the boards are away for longer, the player appears there when they are back.
    """

    account: NewAccount
    session: NewSession


@dataclass(frozen=True, slots=True)
class FindAccount(Question[Account | None]):
    """Who has this (folded) user name?"""

    username_key: str


@dataclass(frozen=True, slots=True)
class FindAccountOf(Question[Account | None]):
    """Who is this?"""

    user_id: UserId


@dataclass(frozen=True, slots=True)
class OpenSession(Question[bool]):
    """Somebody has signed in; False if the account is no longer as it was when that was proven."""

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
class EndSession(Question[int]):
    """Sign out: the session's refresh tokens are worth nothing from now on."""

    session_id: SessionId
    now_us: int


@dataclass(frozen=True, slots=True)
class FindSessions(Question[list[OpenedSession]]):
    """Which sessions of this player are open?"""

    user_id: UserId
    now_us: int


@dataclass(frozen=True, slots=True)
class EndSessions(Question[int]):
    """End one's own sessions, or `only` one of them, but the one that is `spared`; how many that were."""

    user_id: UserId
    now_us: int
    only: SessionId | None = None
    spared: SessionId | None = None


@dataclass(frozen=True, slots=True)
class ChangePassword(Question[int | None]):
    """Another password for who has `proven` the present one; how many other sessions ended, None if that is not it."""

    proven: Account
    password_hash: str
    spared: SessionId
    now_us: int


@dataclass(frozen=True, slots=True)
class ChangeRole(Question[RoleChanged | OutOfReach | UnknownUser]):
    """Another role, unless the present one is `beyond` who acts; it ends all sessions. The same act counts once."""

    user_id: UserId
    role: str
    act: Act
    beyond: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SignOut(Question[SignedOut | OutOfReach | UnknownUser]):
    """End all sessions of a player whose role is not `beyond` who acts. The same act counts once."""

    user_id: UserId
    act: Act
    beyond: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FindProfile(Question[Profile | None]):
    """What does this player show and tell?"""

    user_id: UserId


@dataclass(frozen=True, slots=True)
class ChangeProfile(Question[Profile | UnknownUser | BannedUser]):
    """Show something else; answered with the whole when the boards know. Asking it again changes nothing."""

    user_id: UserId
    change: ProfileChange


@dataclass(frozen=True, slots=True)
class FindStandings(Question[dict[UserId, PlayerStanding]]):
    """How do these players stand? Who is unknown is left out."""

    user_ids: tuple[UserId, ...]


@dataclass(frozen=True, slots=True)
class ChangeStanding(Question[Stood | OutOfReach | UnknownUser]):
    """Impose something on a player whose role is not `beyond` who acts, or lift it; answered when the boards know.

    The same act again changes nothing.

    If this is refused, it may have been done all the same: then the boards hear of it. Ask the same again.
    """

    user_id: UserId
    change: StandingChange
    act: Act
    beyond: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LookAgain:
    """Somebody else has changed this player: have the boards know how the player stands now."""

    user_id: UserId


# --- to the publisher --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Publish:
    """Facts that are on disk, for the event log and the board cache; and the tokens spent for some of them.

    All facts of the `batches` of this worker, by their numbers, are among them. `history` as in `LoggedFacts`.
    """

    facts: tuple[ScoreFact, ...]
    spent: tuple[SpentToken, ...] = ()
    batches: tuple[int, ...] = ()
    history: str = ""


@dataclass(frozen=True, slots=True)
class Copy:
    """A part of a board, for the board cache."""

    part: BoardPart


# --- to the follower and the listener ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Others(Question[None]):
    """Entries of the event log that other workers have written. Answered when the boards have been told."""

    entries: tuple[LoggedFacts, ...]


@dataclass(frozen=True, slots=True)
class Deaf:
    """Whether the event log cannot be heard."""

    deaf: bool


@dataclass(frozen=True, slots=True)
class Following(Question[None]):
    """Answered as soon as it is known from where on others are followed: boards may be read then."""


@dataclass(frozen=True, slots=True)
class GoToEnd:
    """Go on listening at the end of the event log."""
