"""The ledger in memory: the plain, slow way to say what a commit means."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import copy
from dataclasses import dataclass, replace
from typing import Self, TypeVar

from actors.ports import (
    EVERYBODY,
    LATEST_US,
    MAX_SCORE,
    ActionKind,
    AnswerRecord,
    BannedUser,
    BoardScope,
    ChainId,
    CommitOutcome,
    Committed,
    KeyConflict,
    KeyLookup,
    MemberPages,
    Members,
    OperationId,
    Period,
    Repeated,
    ScoreFact,
    ScoreWrite,
    Span,
    TokenSpent,
    UnknownUser,
    UserId,
    WallClock,
)
from tests.fakes.faults import Faults
from tests.fakes.players import Player, Players

Key = TypeVar("Key")
Row = TypeVar("Row")


@dataclass(slots=True)
class _Spent:
    user_id: UserId
    operation_id: OperationId
    expires_us: int
    outcome: Committed


@dataclass(slots=True)
class _Kept:
    request_hash: bytes
    first: Repeated
    made_us: int
    answered: bool = False


def members_of(facts: Sequence[ScoreFact], share: float = 1.0, totals: Sequence[int] | None = None) -> Members:
    """The facts as columns; `totals` are of all time, if the scores are not."""
    countries, avatars = [fact.country for fact in facts], [fact.avatar for fact in facts]
    scores = [fact.score for fact in facts]
    return Members(
        [fact.user_id for fact in facts],
        [fact.username for fact in facts],
        scores,
        [fact.version for fact in facts],
        [fact.reached_us for fact in facts],
        scores if totals is None else totals,
        countries if any(countries) else None,
        avatars if any(avatars) else None,
        share,
        [fact.hidden for fact in facts] if any(fact.hidden for fact in facts) else None,
    )


def _become(mine: dict[Key, Row], its: Mapping[Key, Row]) -> None:
    """Have the same contents, for all who share it."""
    mine.clear()
    mine.update({key: copy(row) for key, row in its.items()})


class _Pages:
    """A reading, with as many players at once as the store says."""

    def __init__(self, store: FakeScoreStore, members: Members) -> None:
        self._store, self._members, self._told = store, members, 0

    async def next(self) -> Members | None:
        """See `MemberPages.next`."""
        return await self._store.reads.around(self._next)

    def _next(self) -> Members | None:
        start, self._told = self._told, self._told + self._store.page
        count = len(self._members.user_ids)
        if start >= count:
            return None
        return replace(self._members.part(start, self._told), share=min(self._told / count, 1.0))


@dataclass(frozen=True, slots=True)
class Replica:
    """What a replica had received of players and scores at some moment."""

    rows: Mapping[UserId, Player]
    changes: int
    chains: Mapping[ChainId, int]
    ledger: int
    spent: Mapping[bytes, _Spent]
    keys: Mapping[tuple[UserId, str], _Kept]


class FakeScoreStore:
    """`ScoreStore` and `ActionCatalogue` in memory.

    `ledger` holds every write that counted, in order; `faults` are its switches, `reads` those of reading all
    players, the same unless a test parts them. `page` is how many of all players are told at once.
    """

    def __init__(self, players: Players, clock: WallClock, chain: ChainId = ChainId("one")) -> None:  # noqa: B008
        self.players = players
        self.chain = chain
        self.chains: dict[ChainId, list[tuple[ScoreFact, ...]]] = {}  # the batches of each worker
        self.faults = self.reads = Faults()
        self.page = 3
        self.ledger: list[tuple[ScoreWrite, Committed]] = []
        self.batches: list[int] = []
        self.catalogue = {"INCREMENT": 1, "COMPLETE_QUEST": 50, "WIN_GAME": 100, "ACHIEVEMENT_UNLOCK": 25}
        self.described: dict[str, ActionKind] = {}  # those of which more is known than their points
        self._clock = clock
        self._spent: dict[bytes, _Spent] = {}
        self._keys: dict[tuple[UserId, str], _Kept] = {}

    def beside(self, chain: ChainId) -> Self:
        """The same ledger for another worker, with faults of its own."""
        other = copy(self)
        other.chain = chain
        other.faults = other.reads = Faults()
        return other

    def replica(self) -> Replica:
        """One that has received all, and nothing of what comes."""
        players = self.players
        return Replica(
            {key: copy(row) for key, row in players.rows.items()},
            len(players.changes),
            {chain: len(batches) for chain, batches in self.chains.items()},
            len(self.ledger),
            dict(self._spent),
            {key: copy(kept) for key, kept in self._keys.items()},
        )

    def promote(self, replica: Replica) -> list[ScoreWrite]:
        """It takes this one's place, for all workers; what counted and is lost by that."""
        players = self.players
        lost = [write for write, _ in self.ledger[replica.ledger :]]
        _become(players.rows, replica.rows)
        _become(self._spent, replica.spent)
        _become(self._keys, replica.keys)
        del players.changes[replica.changes :], self.ledger[replica.ledger :]
        for chain, batches in self.chains.items():
            del batches[replica.chains.get(chain, 0) :]
        players.timeline += 1
        return lost

    async def commit(self, writes: Sequence[ScoreWrite], answers: Sequence[AnswerRecord] = ()) -> list[CommitOutcome]:
        """See `ScoreStore.commit`."""
        return await self.faults.around(lambda: self._commit(writes, answers))

    def _commit(self, writes: Sequence[ScoreWrite], answers: Sequence[AnswerRecord]) -> list[CommitOutcome]:
        for answer in answers:
            self._keep_answer(answer)
        self.batches.append(len(writes))
        return self._seal([self._judge(write) or self._apply(write) for write in writes])

    def _seal(self, outcomes: list[CommitOutcome]) -> list[CommitOutcome]:
        """Number what was written."""
        facts = tuple(each.fact for each in outcomes if isinstance(each, Committed) and not each.again)
        if not facts:
            return outcomes
        own = self.chains.setdefault(self.chain, [])
        own.append(facts)
        return [
            each._replace(batch=len(own)) if isinstance(each, Committed) and not each.again else each
            for each in outcomes
        ]

    def _keep_answer(self, answer: AnswerRecord) -> None:
        kept = self._keys.get((answer.user_id, answer.idempotency_key))
        if kept is not None and not kept.answered:
            kept.first = replace(kept.first, previous_rank=answer.previous_rank, new_rank=answer.new_rank)
            kept.answered = True

    def _judge(self, write: ScoreWrite) -> CommitOutcome | None:
        """What stands against applying it, in the order of the checks."""
        spent = self._spent.get(write.token_hash)
        if spent is not None and (spent.operation_id, spent.user_id) == (write.operation_id, write.user_id):
            return Committed(self.told_now(spent.outcome.fact), spent.outcome.points, again=True)
        if write.idempotency_key is not None:
            known = self._known(KeyLookup(write.user_id, write.idempotency_key, write.request_hash))
            if known is not None:
                return known
        player = self.players.rows.get(write.user_id)
        if player is None:
            return UnknownUser()
        if player.banned:
            return BannedUser()
        return TokenSpent() if spent is not None else None

    def _apply(self, write: ScoreWrite) -> Committed:
        player = self.players.rows[write.user_id]
        points = min(write.points, MAX_SCORE - player.score)
        player.score += points
        player.version += 1
        player.reached_us = max(self.players.moment(), player.reached_us + 1)
        filed_us = max(min(write.occurred_us, player.reached_us), player.reached_us - LATEST_US)
        outcome = Committed(player.fact(points, filed_us), points)
        player.last_active_us = player.reached_us
        self.ledger.append((write, outcome))
        self._spent[write.token_hash] = _Spent(write.user_id, write.operation_id, write.token_expires_us, outcome)
        if write.idempotency_key is not None:
            first = Repeated(outcome.fact, points, None, None)
            kept = _Kept(write.request_hash, first, self._clock.now_us())
            self._keys[write.user_id, write.idempotency_key] = kept
        return outcome

    def _known(self, lookup: KeyLookup) -> Repeated | KeyConflict | None:
        kept = self._keys.get((lookup.user_id, lookup.idempotency_key))
        if kept is None:
            return None
        if kept.request_hash != lookup.request_hash:
            return KeyConflict()
        return replace(kept.first, fact=self.told_now(kept.first.fact))

    def told_now(self, fact: ScoreFact) -> ScoreFact:
        """What is known of a score of before, with the profile of now."""
        player = self.players.rows[fact.user_id]
        return fact._replace(country=player.country, avatar=player.avatar, hidden=player.standing.hidden)

    async def actions(self) -> dict[str, int]:
        """See `ActionCatalogue.actions`."""
        return await self.faults.around(
            lambda: {kind.action_type: kind.points for kind in self._kinds() if not kind.honeypot}
        )

    async def kinds(self) -> list[ActionKind]:
        """See `ActionCatalogue.kinds`."""
        return await self.faults.around(self._kinds)

    def _kinds(self) -> list[ActionKind]:
        plain = {name: ActionKind(name, points) for name, points in self.catalogue.items()}
        return [kind for _, kind in sorted({**plain, **self.described}.items())]

    def spent_names(self) -> set[bytes]:
        """What has counted."""
        return set(self._spent)

    async def recall(self, lookups: Sequence[KeyLookup]) -> list[Repeated | KeyConflict | None]:
        """See `ScoreStore.recall`."""
        return await self.faults.around(lambda: [self._known(lookup) for lookup in lookups])

    async def members_after(self, user_id: UserId | None, limit: int) -> list[ScoreFact]:
        """See `ScoreStore.members_after`."""
        return await self.reads.around(lambda: self._members(user_id or UserId(""), limit))

    def _members(self, user_id: UserId, limit: int) -> list[ScoreFact]:
        behind = sorted(key for key in self.players.rows if key > user_id)
        return [self.players.rows[key].fact() for key in behind[:limit]]

    @asynccontextmanager
    async def all_members(self, scope: BoardScope = EVERYBODY, span: Span | None = None) -> AsyncIterator[MemberPages]:
        """See `ScoreStore.all_members`."""
        yield _Pages(self, await self.reads.around(lambda: self._on_board(scope, span, self.players.rows)))

    async def members_of(self, scope: BoardScope, span: Span | None, user_ids: Sequence[UserId]) -> Members:
        """See `ScoreStore.members_of`."""
        return await self.reads.around(lambda: self._on_board(scope, span, user_ids))

    def _on_board(self, scope: BoardScope, span: Span | None, user_ids: Iterable[UserId]) -> Members:
        if (span is None) != (scope.period is Period.ALL_TIME):
            raise ValueError(f"{scope} and {span} do not belong together")
        rows = [self.players.rows[key] for key in dict.fromkeys(user_ids) if key in self.players.rows]
        facts = [row.fact() for row in rows if scope.country in (None, row.country)]
        if span is None:
            return members_of(facts)
        gains = self.gained(span)
        facts = [fact for fact in facts if fact.user_id in gains]
        there = [fact._replace(score=gains[fact.user_id][0], reached_us=gains[fact.user_id][1]) for fact in facts]
        return members_of(there, totals=[fact.score for fact in facts])

    def gained(self, span: Span) -> dict[UserId, tuple[int, int]]:
        """What each player gained in it, and the last moment in which that became more."""
        gains: dict[UserId, tuple[int, int]] = {}
        for _, outcome in self.ledger:
            fact = outcome.fact
            if fact.points and span.holds(fact.occurred_us):
                score, _ = gains.get(fact.user_id, (0, 0))
                gains[fact.user_id] = (score + fact.points, fact.reached_us)
        return gains

    async def purge(self, *, before_us: int) -> int:
        """See `ScoreStore.purge`."""
        return await self.faults.around(lambda: self._purge(before_us))

    def _purge(self, before_us: int) -> int:
        tokens = [key for key, spent in self._spent.items() if spent.expires_us < before_us]
        keys = [key for key, kept in self._keys.items() if kept.made_us < before_us]
        for token in tokens:
            del self._spent[token]
        for key in keys:
            del self._keys[key]
        return len(tokens) + len(keys)
