"""Group commit: everything that waits is made durable in one transaction, then ranked, then answered.

The order matters. What is answered is on disk; a keyed answer is told once its ranks are on disk too, so that a retry
hears the same. What the store may or may not have done is asked again until it is known: a write's operation id makes
that harmless. What a crash makes this actor forget the board reads from the store. Of two workers that are asked with
the same key only one gives the first answer (`seconds.py`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import trio

from actors.ledger.board_line import BoardLine, BoardPatience
from actors.ledger.messages import (
    Commit,
    CommitMany,
    LedgerUnavailable,
    Moves,
    Publish,
    Recall,
    Receipt,
    Result,
    TellBoards,
)
from actors.ledger.round import Round
from actors.ledger.seconds import FIRST_S, Second, Seconds
from actors.ledger.transaction import transact
from actors.ledger.waiting import UNCONFIRMED as BATCH_UNCONFIRMED
from actors.ledger.waiting import WaitingBatches
from actors.ledger.world import LedgerWorld
from actors.ports import (
    AnswerRecord,
    Committed,
    CommitUnknown,
    KeyConflict,
    KeyLookup,
    OperationId,
    Repeated,
    ScoreWrite,
    StoreError,
    StoreFault,
    StoreUnavailable,
)
from actors.runtime import ActorError, BatchActor, Request

#: Kept as the ranks of a key whose first answer was told without any, so that a retry hears the same. Ranks begin at 1.
TOLD_NONE = 0

UNCONFIRMED = "The score could not be confirmed. Send the same request again with the same Idempotency-Key."


@dataclass(frozen=True, slots=True)
class _Untold:
    """A keyed score that is on disk; it is told (if anybody still asks) once its ranks are on disk too.

    `since`: when its transaction began, if this is the first answer to its key; else minus infinity.
    """

    request: Request | None
    receipt: Receipt
    lookup: KeyLookup
    record: AnswerRecord
    since: float


class LedgerActor(BatchActor):
    """Makes durable what many players did, one batch after another."""

    max_batch = 1000

    def __init__(self, world: LedgerWorld) -> None:
        self._world = world
        patience = BoardPatience(world.board_within_s, world.retry_s, world.max_unapplied)
        self._board = BoardLine(world.board, world.others, patience, world.history)
        self._untold: list[_Untold] = []
        self._in_doubt: dict[OperationId, ScoreWrite] = {}  # perhaps on disk: committed again with the next batch
        self._batches = WaitingBatches(world.max_waiting_rows)
        self._unranked: Round | None = None  # committed; its ranks and answers come with the next round
        self._seconds = Seconds()

    def __repr__(self) -> str:
        return f"<LedgerActor, {len(self._untold)} untold, {len(self._in_doubt)} in doubt, {self._board}>"

    def may_passivate(self) -> bool:
        """Not while it owes anybody anything."""
        owed = self._untold or self._in_doubt or self._batches or self._unranked or self._seconds
        return not (owed or self._board.due < math.inf)

    async def started(self) -> None:
        """After a crash the board must read what the last life may have left between the store and the board."""
        if next(self._world.lives) > 0:
            self._read_when_settled()
            self.wake_at = trio.current_time()

    def _read_when_settled(self) -> None:
        """Have the board read now, and again when whatever is under way at the store has ended."""
        now = trio.current_time()
        self._board.catch_up_at(now, now + self._world.settle_s)

    async def woken(self) -> None:
        """Nothing came along to carry what is owed: do it alone."""
        if self._seconds.due <= trio.current_time():
            await self._look_for_first()
        await self._round([], [])

    async def stopped(self) -> None:
        """Whoever waits for what is on disk hears that it is. What is not stays undone: its sender asks again."""
        if self._unranked is not None:
            done, self._unranked = self._unranked, None
            await self._finish(done)
        await self._commit(Round([], [], [], []))

    async def receive_batch(self, requests: Sequence[Request]) -> None:
        """Commit, rank and answer everything in the batch; scores that came in batches, a share of them a round."""
        commits, announced, recalls, batches = (
            [request for request in requests if isinstance(request.message, kind)]
            for kind in (Commit, TellBoards, Recall, CommitMany)
        )
        if len(commits) + len(announced) + len(recalls) + len(batches) < len(requests):
            raise TypeError(f"a ledger understands Commit, CommitMany, TellBoards and Recall, not all of {requests!r}")
        for request in batches:
            self._batches.put(request)
        await self._round(commits, announced)
        if recalls:
            await self._recall(recalls)

    # --- one round ---

    async def _round(self, commits: list[Request], announced: list[Request]) -> None:
        """Commit; meanwhile the board ranks the round before, if that has been left for now."""
        begun = self._begin(commits, announced)
        before, self._unranked = self._unranked, None
        if before is not None and not before.keys.isdisjoint(begun.keys):
            await self._finish(before)  # so that the ranks of a key are with the store no later than who asks again
            before = None
        if before is None:
            failed = await self._commit(begun)
        else:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._finish, before)
                failed = await self._commit(begun)
        alone = bool(begun.commits) and not begun.keys  # a key waits for the round after its ranks as it is
        if (begun.batches or alone) and (self._batches or self.backlog()):
            self._unranked = begun  # the store need not wait while this is ranked and told
        else:
            await self._finish(begun)
        self._set_alarm(failed=failed)

    def _begin(self, commits: list[Request], announced: list[Request]) -> Round:
        """With too much in doubt nothing new is begun: it might be in doubt as well."""
        doubted, self._in_doubt = list(self._in_doubt.values()), {}
        room = max(self._world.max_in_doubt - len(doubted), 0)
        for request in commits[room:]:
            request.fail(LedgerUnavailable(UNCONFIRMED))
        commits = commits[:room]
        batches = self._batches.share(self._world.round_rows, room - len(commits))
        return Round(doubted, commits, batches, announced, history=self._world.history())

    async def _commit(self, begun: Round) -> bool:
        """One transaction for all writes of a round and for the answers that can be told then. True if it failed."""
        untold, self._untold = self._untold, []
        if not begun.writes and not untold:
            return False
        began = begun.began = trio.current_time()
        records = [each.record for each in untold]
        settled = await transact(self._world.store, begun.writes, records, within_s=self._world.store_within_s)
        begun.results = settled.results
        self._tell(untold, settled.answers)
        self._doubt(begun)
        self._world.scored(begun.fresh())
        if not (settled.answers or any(isinstance(result, StoreError) for result in settled.results)):
            self._world.batch_done(len(begun.writes) - len(begun.doubted), trio.current_time() - began)
        return settled.answers is not None or bool(self._in_doubt)

    def _doubt(self, begun: Round) -> None:
        """Keep what may or may not stand. That nothing happened now does not say so of a write in doubt from before.

        One that is rejected now is not tried again; if it stands, or will, the board reads that from the store.
        """
        known = len(begun.doubted)
        for position, (write, result) in enumerate(zip(begun.writes, begun.results, strict=True)):
            if isinstance(result, CommitUnknown) or (position < known and isinstance(result, StoreUnavailable)):
                self._in_doubt[write.operation_id] = write
        if any(isinstance(result, StoreFault) for result in begun.results[:known]):
            self._read_when_settled()

    async def _finish(self, done: Round) -> None:
        """Have the round ranked, and answer everybody."""
        facts = done.news()
        self._publish(done)
        moves = await self._board.apply(facts)
        for request in done.announced:
            request.answer(None)
        own = done.own_keys()
        for write, asker, result in done.singles:
            first = isinstance(result, Committed) or (write.user_id, write.idempotency_key) in own
            since = done.began if isinstance(result, Committed) and not result.again else -math.inf
            self._conclude(write, asker, result, moves, since=since if first else None)
        for request, results in done.shares:
            self._conclude_batch(request, results, moves)

    def _tell(self, untold: list[_Untold], error: StoreError | None) -> None:
        """Answer what is on disk with its ranks. If it is not yet, nobody is kept waiting, but the ranks stay owed."""
        latest = trio.current_time() - FIRST_S
        for each in untold:
            if each.request is not None and error is None and each.since >= latest:
                each.request.answer(each.receipt)
            elif each.request is not None and error is None:  # another answer may have been kept before this one
                self._seconds.wait(each.request, each.lookup, each.receipt, recorded=True)
            elif each.request is not None:
                each.request.fail(LedgerUnavailable(UNCONFIRMED))
        if isinstance(error, StoreFault):
            self._world.rejected(error)
        elif error is not None:
            self._untold = untold + self._untold

    def _publish(self, done: Round) -> None:
        """What is announced may have been read of another history until this one has settled; others read it then."""
        facts = done.news() if self._world.history.is_settled(trio.current_time()) else done.scored()
        if not facts:
            return
        try:
            self._world.publisher.tell(Publish(tuple(facts), tuple(done.spent()), done.numbers(), done.history))
        except ActorError:
            # The mailbox counts it. Nothing that must hold rests on the event log: readers heal from the store.
            return

    # --- answers ---

    def _conclude(
        self, write: ScoreWrite, request: Request | None, result: Result, ranks: Moves, *, since: float | None
    ) -> None:
        """Answer one write, if somebody waits for that. `since` is None where another worker may answer it first."""
        if isinstance(result, StoreError):
            self._refuse(request, result)
        elif not isinstance(result, Committed | Repeated):
            _answer(request, result)
        elif isinstance(result, Repeated) and result.new_rank is not None:
            _answer(request, _receipt_of(result))
        else:
            self._conclude_ranked(write, request, result, ranks, since=since)

    def _conclude_ranked(
        self,
        write: ScoreWrite,
        request: Request | None,
        result: Committed | Repeated,
        ranks: Moves,
        *,
        since: float | None,
    ) -> None:
        move = ranks.get((result.fact.user_id, result.fact.version))
        previous, new = (move.previous, move.new) if move else (None, None)
        receipt = Receipt(result.fact, result.points, previous, new, isinstance(result, Repeated))
        if write.idempotency_key is None:
            _answer(request, receipt)
            return
        lookup = KeyLookup(write.user_id, write.idempotency_key, write.request_hash)
        if since is not None:
            self._owe(request, lookup, receipt, since)
        elif request is not None:
            self._seconds.wait(request, lookup, receipt, recorded=False)

    def _owe(self, request: Request | None, lookup: KeyLookup, receipt: Receipt, since: float) -> None:
        ranks = (receipt.previous_rank, receipt.new_rank) if receipt.new_rank is not None else (TOLD_NONE, TOLD_NONE)
        record = AnswerRecord(lookup.user_id, lookup.idempotency_key, *ranks)
        self._untold.append(_Untold(request, receipt, lookup, record, since))

    def _conclude_batch(self, request: Request, results: list[Result], moves: Moves) -> None:
        """Answer a batch, if somebody waits for that."""
        for fault in [result for result in results if isinstance(result, StoreFault)]:
            self._world.rejected(fault)
        if all(isinstance(result, StoreError) for result in results):
            request.fail(LedgerUnavailable(BATCH_UNCONFIRMED))
        elif request.open:
            request.answer(request.message.then(results, moves))

    def _refuse(self, request: Request | None, error: StoreError) -> None:
        if isinstance(error, StoreFault):
            self._world.rejected(error)
        if request is not None:
            request.fail(LedgerUnavailable(UNCONFIRMED))

    async def _recall(self, recalls: list[Request]) -> None:
        """Look keys up. One that is still in doubt cannot be told to be unknown."""
        doubtful = {(write.user_id, write.idempotency_key) for write in self._in_doubt.values()}
        asked: list[Recall] = [request.message for request in recalls]
        lookups = [KeyLookup(each.user_id, each.idempotency_key, each.request_hash) for each in asked]
        try:
            found = await self._look_up(lookups)
        except StoreError as error:
            for request in recalls:
                self._refuse(request, error)
            return
        for request, lookup, known in zip(recalls, lookups, found, strict=True):
            if known is None and (lookup.user_id, lookup.idempotency_key) in doubtful:
                request.fail(LedgerUnavailable(UNCONFIRMED))
            elif isinstance(known, Repeated) and known.new_rank is None:
                self._seconds.wait(request, lookup, _receipt_of(known), recorded=False)
            else:
                request.answer(_receipt_of(known) if isinstance(known, Repeated) else known)
        self.wake_at = min(self.wake_at, self._seconds.due)

    async def _look_for_first(self) -> None:
        """Tell the first answer to those who came second; where there is none, theirs is kept as the first."""
        taken = self._seconds.take()
        try:
            found = await self._look_up([each.lookup for each in taken]) if taken else []
        except StoreError:
            self._seconds.refuse(taken)
            return
        told, heirs = self._seconds.settle(taken, found)
        for each, known in told:
            each.request.answer(self._told(each, known))
        for each in heirs:
            self._owe(each.request, each.lookup, each.receipt, -math.inf)

    @staticmethod
    def _told(second: Second, known: Repeated) -> Receipt:
        """What was kept is told; that it is a retry, only to who was one."""
        kept = _receipt_of(known)
        ranks = kept.previous_rank, kept.new_rank
        return Receipt(kept.fact, kept.points, *ranks, second.receipt.repeated)

    async def _look_up(self, lookups: list[KeyLookup]) -> list[Repeated | KeyConflict | None]:
        with trio.move_on_after(self._world.store_within_s):
            return await self._world.store.recall(lookups)
        raise StoreUnavailable("the store did not answer in time")

    def _set_alarm(self, *, failed: bool) -> None:
        """Come back soon for answers to record (messages that wait will carry them first), later for what failed."""
        now = trio.current_time()
        soon = now + (self._world.retry_s if failed else self._world.answer_delay_s)
        due = min(soon if self._untold or self._in_doubt else math.inf, self._board.due, self._seconds.due)
        if self._unranked is not None:  # whoever waits may have gone by the time that their message is looked at
            due = min(due, now + self._world.answer_delay_s)
        self.wake_at = now if self._batches else max(due, now)


def _answer(request: Request | None, answer: object) -> None:
    if request is not None:
        request.answer(answer)


def _receipt_of(known: Repeated) -> Receipt:
    if known.new_rank == TOLD_NONE:
        return Receipt(known.fact, known.points, None, None, True)
    return Receipt(known.fact, known.points, known.previous_rank, known.new_rank, True)
