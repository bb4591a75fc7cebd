"""What the ledger may be asked, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass

from actors.ports import BannedUser, KeyConflict, ScoreFact, ScoreWrite, TokenSpent, UnknownUser, UserId
from actors.runtime import Question, Refusal


class LedgerUnavailable(Refusal):
    """The store did not answer, or said that nothing changed. The same write may be sent again."""

    code = "SERVICE_UNAVAILABLE"
    retry_after_s = 1.0


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
class Recall(Question[Receipt | KeyConflict | None]):
    """Is this idempotency key known? None if not."""

    user_id: UserId
    idempotency_key: str
    request_hash: bytes


@dataclass(frozen=True, slots=True)
class Joined(Question[None]):
    """A new player is on disk and belongs on the boards. Answered when the boards know."""

    fact: ScoreFact


@dataclass(frozen=True, slots=True)
class Publish:
    """Facts that are on disk, for the event log and the board cache."""

    facts: tuple[ScoreFact, ...]
