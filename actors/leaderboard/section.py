"""A part of the ledger as a board keeps it: one period, one country, or both; how it is read, and when once more."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress

import trio

from actors.leaderboard.calendar import span_of
from actors.leaderboard.loading import Loading, load
from actors.leaderboard.mirror import AGAIN_S, BREATH_S, Mirror
from actors.leaderboard.ranking import Ranking
from actors.leaderboard.roster import Roster
from actors.leaderboard.scope import board_of
from actors.leaderboard.world import BoardWorld
from actors.ports import BoardScope, Period, ScoreFact, Span, StoreUnavailable, UserId
from actors.runtime import ActorError

#: So many players are read again at once.
DOUBTS = 1_000

#: The clock on the wall may be set, so an end that lies far ahead is looked at again after so many seconds.
LOOK_S = 30.0

#: Of more players than this who came or changed in a period all are read at its end.
MOST_CHANGED = 1_000


class Section:
    """The roster of the present period, and what it still lacks.

    `span` is the period that is counted, None for all time. `reading_due`: when all must be read again, for facts were
    lost; infinite if none were.
    """

    def __init__(self, scope: BoardScope, world: BoardWorld) -> None:
        self._scope, self._world = scope, world
        self.span: Span | None = None
        self.reading_due = math.inf
        self._board = board_of(scope)
        self._roster = Roster(scope, None)
        self._mirror = Mirror(self._board, self._roster.ranking, None)
        self._next_doubts = self._next_copy = -math.inf
        self._copy_again = math.inf
        self._next_is_known = False  # something may have been done behind the end that will not be told again
        self._changed: set[UserId] = set()  # perhaps they came with gains from behind the end that were told elsewhere

    def __repr__(self) -> str:
        return f"<Section {self._board} {self._roster!r}>"

    # --- time ---

    @property
    def over(self) -> bool:
        """Whether the period has ended."""
        return self.span is not None and self._world.clock.now_us() >= self.span.end_us

    @property
    def early(self) -> bool:
        """Whether the period has yet to begin, because the clock was wrong."""
        return self.span is not None and self._world.clock.now_us() < self.span.start_us

    def ended_by(self, fact: ScoreFact) -> bool:
        """Whether a fact lies behind the period. That ends it, unless somebody's clock is wrong."""
        if self.span is None or fact.occurred_us < self.span.end_us:
            return False
        believed = self._world.clock.heard(fact.occurred_us)
        self._next_is_known |= not believed
        return believed

    def begin(self) -> Ranking:
        """Count the present period; its ranking, which is empty, and is read again if that may be wrong."""
        if self._next_is_known:
            self.reading_due = trio.current_time()
        span = self._span()
        roster = Roster(self._scope, span)
        roster.doubts |= self._changed
        return self._keep(span, roster)

    def _keep(self, span: Span | None, roster: Roster) -> Ranking:
        self.span, self._roster = span, roster
        self._changed = set()
        self._next_is_known = span is not None and self._world.clock.knows_of(span.end_us)
        self._mirror = Mirror(self._board, roster.ranking, span)
        self._copy_again = math.inf
        return roster.ranking

    def _span(self) -> Span | None:
        period = self._scope.period
        if period == Period.ALL_TIME:
            return None
        return span_of(period, self._world.zone(period), self._world.clock.now_us())

    # --- what it lacks ---

    @property
    def due(self) -> float:
        """When something must be done: the period is over, or the store must be asked."""
        return min(self.doubts_due, self.reading_due, self.copy_due, self._end_due())

    def _end_due(self) -> float:
        if self.span is None:
            return math.inf
        left_s = (self.span.end_us - self._world.clock.wall_us()) / 1_000_000
        return trio.current_time() + min(left_s, LOOK_S)

    @property
    def doubts_due(self) -> float:
        """When `settle` should be called."""
        return self._next_doubts if self._roster.doubts else math.inf

    @property
    def copy_due(self) -> float:
        """When `copy` should be called."""
        return self._next_copy if self._mirror.behind else self._copy_again

    def read_again(self, at: float) -> None:
        """Facts may have been lost on their way: read all, then."""
        self.reading_due = at

    # --- contents ---

    async def loaded(self, tell: Callable[[Loading], None]) -> Ranking:
        """Read all from the store. Facts of before that moment change nothing any more, those of after it are to come.

        Raises StoreUnavailable.
        """
        async with self._world.turn(self._scope):
            span = self._span()
            roster = Roster(self._scope, span)
            with self._world.kept_if_whole(roster.ranking):
                await load(self._board, self._world.store.all_members(self._scope, span), roster, tell)
        self.reading_due = math.inf
        return self._keep(span, roster)

    def take(self, fact: ScoreFact) -> bool:
        """Take in one fact; True if the board has changed."""
        self._note_change(fact)
        taken = self._roster.take(fact)
        if taken:
            self._mirror.changed(fact.user_id)
        return taken

    def _note_change(self, fact: ScoreFact) -> None:
        """Who comes from another country may have gained something when this board's clock had not come so far."""
        if self.span is None or fact.points or not fact.version or fact.country != self._scope.country:
            return
        self._changed.add(fact.user_id)
        if len(self._changed) > MOST_CHANGED:
            self._changed.clear()
            self._next_is_known = True

    async def settle(self) -> bool:
        """Ask the store for some who are in doubt, at most once in a tick; True if it has told."""
        now = trio.current_time()
        self._next_doubts = now + self._world.tick_s
        asked = self._roster.some_doubts(DOUBTS)
        try:
            found = await self._world.store.members_of(self._scope, self.span, asked)
        except StoreUnavailable:
            return False
        self._roster.settle(asked, found)
        for user_id in asked:
            self._mirror.changed(user_id)
        if self._roster.doubts:
            self._next_doubts = now
        return True

    # --- its copy ---

    def copy(self) -> None:
        """Have the next piece copied. What is not taken is lost until all are copied again: no score depends on it."""
        now = trio.current_time()
        if now >= self._copy_again:
            self._mirror.again()
        part = self._mirror.next()
        self._next_copy = now + BREATH_S
        if part.piece is not None:
            self._copy_again = now + AGAIN_S if part.whole else math.inf
        with suppress(ActorError):
            self._world.mirror(part)
