"""The ledger: what is made durable, what came of it, and the store that does it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from actors.ports.boards import EVERYBODY, BoardScope, MemberPages, Members, Span
from actors.ports.facts import ScoreFact
from actors.ports.ids import OperationId, UserId
from actors.ports.source import Source

#: A write counts as done at most so long before it is on disk. Longer than any token lives, and than its retries last.
LATEST_US = 600_000_000


class ScoreWrite(NamedTuple):
    """One score to make durable. `operation_id` names it for ever: committing it twice counts once.

    `occurred_us` is the time of the action, by which the score is filed into days, weeks and months; `action_id` is
    what the action is called by who reported it, kept beside the score for whoever looks into it later.

    A tuple, as are facts and what was committed: one is made for every score, and a frozen dataclass takes longer.
    """

    operation_id: OperationId
    user_id: UserId
    points: int
    action_type: str
    token_hash: bytes
    token_expires_us: int
    idempotency_key: str | None
    request_hash: bytes
    source: Source
    occurred_us: int
    action_id: str


class Committed(NamedTuple):
    """The write is on disk; `fact` is the total that it led to, `points` what it added.

    `again`: its operation had been committed before; these are the total and the points of that first time.
    `batch`: the number, in the chain of this worker, of the batch with all that this call committed; 0 if there is not
    one for all.
    """

    fact: ScoreFact
    points: int
    again: bool = False
    batch: int = 0


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

        The fact's `occurred_us` is that of the write, but never later than the commit, nor more than `LATEST_US` before
        it: so nothing comes to a period any more when that time has passed since its end.

        Raises:
            StoreUnavailable: nothing changed.
            CommitUnknown: call again with the same arguments.
        """
        ...

    async def recall(self, lookups: Sequence[KeyLookup]) -> list[Repeated | KeyConflict | None]:
        """What is known of idempotency keys, in the order asked."""
        ...

    async def members_after(self, user_id: UserId | None, limit: int) -> list[ScoreFact]:
        """The totals of up to `limit` players by ascending id, behind `user_id`; with those who are hidden."""
        ...

    def all_members(
        self, scope: BoardScope = EVERYBODY, span: Span | None = None
    ) -> AbstractAsyncContextManager[MemberPages]:
        """Read all players of a board, each once, as they all stood at one moment. Who is hidden is told to be.

        The moment is behind the beginning of the block, so whatever was committed before it is seen. What is committed
        later is not, and comes to a board as facts. `span` is the present one of the scope's period, None for all time;
        its board has those who gained anything in it. Raises StoreUnavailable.
        """
        ...

    async def members_of(self, scope: BoardScope, span: Span | None, user_ids: Sequence[UserId]) -> Members:
        """Those of these players who are on that board, as `all_members` would tell them. Raises StoreUnavailable."""
        ...

    async def purge(self, *, before_us: int) -> int:
        """Forget spent tokens that expired, and idempotency keys made, before that time; returns how many rows.

        What was scored is never forgotten.
        """
        ...
