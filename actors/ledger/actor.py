"""Group commit: everything that waits is made durable in one transaction, then ranked, then answered.

The order matters. What is answered is on disk; a keyed answer is on disk together with its ranks, so that a retry
hears the same. What the store may or may not have done is asked again until it is known: a write's operation id
makes that harmless.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeGuard

import trio

from actors.leaderboard.messages import Apply, RankMove
from actors.ledger.messages import Commit, Joined, LedgerUnavailable, Publish, Recall, Receipt
from actors.ports import (
    AnswerRecord,
    CommitOutcome,
    Committed,
    CommitUnknown,
    KeyConflict,
    KeyLookup,
    Repeated,
    ScoreFact,
    ScoreStore,
    ScoreWrite,
    StoreUnavailable,
)
from actors.runtime import ActorError, BatchActor, Ref, Request


@dataclass(frozen=True, slots=True)
class LedgerWorld:
    """What the ledger needs from outside. `batch_done` hears the size and the seconds of each commit."""

    store: ScoreStore
    board: Ref
    publisher: Ref
    batch_done: Callable[[int, float], None]
    board_within_s: float = 5.0
    answer_delay_s: float = 0.0005
    retry_s: float = 0.5


@dataclass(slots=True)
class _Untold:
    """A keyed score that is on disk and ranked; it is told once its ranks are on disk too."""

    request: Request
    receipt: Receipt
    record: AnswerRecord


class LedgerActor(BatchActor):
    """Makes durable what many players did, one batch after another."""

    max_batch = 1000

    def __init__(self, world: LedgerWorld) -> None:
        self._world = world
        self._untold: list[_Untold] = []
        self._in_doubt: list[ScoreWrite] = []  # perhaps on disk: committed again with the next batch
        self._unapplied: list[ScoreFact] = []  # on disk, but the board has not said that it knows

    def __repr__(self) -> str:
        return f"<LedgerActor, {len(self._untold)} untold, {len(self._in_doubt)} in doubt>"

    def may_passivate(self) -> bool:
        """Not while it owes anybody anything."""
        return not (self._untold or self._in_doubt or self._unapplied)

    async def woken(self) -> None:
        """Nothing came along to carry what is owed: do it alone."""
        await self._round([], [])

    async def receive_batch(self, requests: Sequence[Request]) -> None:
        """Commit, rank and answer everything in the batch."""
        commits = [request for request in requests if isinstance(request.message, Commit)]
        joins = [request for request in requests if isinstance(request.message, Joined)]
        recalls = [request for request in requests if isinstance(request.message, Recall)]
        await self._round(commits, joins)
        if recalls:
            await self._recall(recalls)

    # --- one round ---

    async def _round(self, commits: list[Request], joins: list[Request]) -> None:
        untold, self._untold = self._untold, []
        outcomes = await self._commit(commits, untold)
        facts = [outcome.fact for outcome in outcomes if _needs_rank(outcome)]
        facts += [request.message.fact for request in joins]
        ranks = await self._rank(facts)
        for request in joins:
            request.answer(None)
        for request, outcome in zip(commits, outcomes[len(outcomes) - len(commits) :], strict=False):
            self._conclude(request, outcome, ranks)
        self._set_alarm()

    async def _commit(self, commits: list[Request], untold: list[_Untold]) -> list[CommitOutcome]:
        """One transaction. Returns the outcomes of what was in doubt, then of `commits`; none when it failed."""
        writes = self._in_doubt + [request.message.write for request in commits]
        if not writes and not untold:
            return []
        began = trio.current_time()
        try:
            outcomes = await self._world.store.commit(writes, [each.record for each in untold])
        except (StoreUnavailable, CommitUnknown) as error:
            if isinstance(error, CommitUnknown):
                self._in_doubt = writes
            self._refuse(commits, untold)
            return []
        self._in_doubt = []
        self._world.batch_done(len(commits), trio.current_time() - began)
        for each in untold:
            each.request.answer(each.receipt)
        return outcomes

    def _refuse(self, commits: list[Request], untold: list[_Untold]) -> None:
        text = "The score could not be confirmed. Send the same request again with the same Idempotency-Key."
        for request in commits:
            request.fail(LedgerUnavailable(text))
        for each in untold:
            each.request.fail(LedgerUnavailable(text))

    async def _rank(self, facts: list[ScoreFact]) -> dict[tuple[str, int], RankMove]:
        """Hand facts to the board; the moves by player and version. What the board did not take is kept for later."""
        self._unapplied += facts
        if not self._unapplied:
            return {}
        batch = tuple(self._unapplied)
        try:
            moves = await self._world.board.ask(Apply(batch), within=self._world.board_within_s)
        except ActorError:
            return {}
        self._unapplied = []
        self._publish(batch)
        return {(fact.user_id, fact.version): move for fact, move in zip(batch, moves, strict=True)}

    def _publish(self, facts: tuple[ScoreFact, ...]) -> None:
        try:
            self._world.publisher.tell(Publish(facts))
        except ActorError:
            # The mailbox counts it. Nothing that must hold rests on the event log: readers heal from Postgres.
            return

    # --- answers ---

    def _conclude(self, request: Request, outcome: CommitOutcome, ranks: dict[tuple[str, int], RankMove]) -> None:
        if not isinstance(outcome, Committed | Repeated):
            request.answer(outcome)
            return
        write: ScoreWrite = request.message.write
        move = ranks.get((outcome.fact.user_id, outcome.fact.version))
        repeated = isinstance(outcome, Repeated)
        if isinstance(outcome, Repeated) and outcome.new_rank is not None:
            request.answer(Receipt(outcome.fact, outcome.points, outcome.previous_rank, outcome.new_rank, repeated))
            return
        receipt = Receipt(
            outcome.fact, outcome.points, move.previous if move else None, move.new if move else None, repeated
        )
        if write.idempotency_key is None:
            request.answer(receipt)
        else:
            record = AnswerRecord(write.user_id, write.idempotency_key, receipt.previous_rank, receipt.new_rank)
            self._untold.append(_Untold(request, receipt, record))

    async def _recall(self, recalls: list[Request]) -> None:
        asked: list[Recall] = [request.message for request in recalls]
        lookups = [KeyLookup(each.user_id, each.idempotency_key, each.request_hash) for each in asked]
        try:
            found = await self._world.store.recall(lookups)
        except StoreUnavailable:
            self._refuse(recalls, [])
            return
        for request, known in zip(recalls, found, strict=True):
            request.answer(_receipt_of(known) if isinstance(known, Repeated) else known)

    def _set_alarm(self) -> None:
        """Come back soon for answers to record (messages that wait will carry them first), later for what failed."""
        now = trio.current_time()
        if self._untold:
            self.wake_at = now + self._world.answer_delay_s
        elif self._in_doubt or self._unapplied:
            self.wake_at = now + self._world.retry_s
        else:
            self.wake_at = math.inf


def _needs_rank(outcome: CommitOutcome) -> TypeGuard[Committed | Repeated]:
    """A fresh score does, and so does a retry of one whose first answer never came to be."""
    return isinstance(outcome, Committed) or (isinstance(outcome, Repeated) and outcome.new_rank is None)


def _receipt_of(known: Repeated | KeyConflict) -> Receipt | KeyConflict:
    if isinstance(known, KeyConflict):
        return known
    return Receipt(known.fact, known.points, known.previous_rank, known.new_rank, True)
