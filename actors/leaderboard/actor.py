"""The owner of one board's ranked state. It answers ranks, publishes a view, and says on its tick what has changed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import trio

from actors.leaderboard.loading import Loading, load
from actors.leaderboard.messages import Apply, CatchUp, RankMove, Rebuild, Unwatch, Watch
from actors.leaderboard.ranking import Ranking
from actors.leaderboard.reader import Reader
from actors.leaderboard.rebuilding import Rebuilding
from actors.leaderboard.rereading import Rereading
from actors.leaderboard.scope import scope_of
from actors.leaderboard.section import Section
from actors.leaderboard.showing import Showing
from actors.leaderboard.world import BoardWorld
from actors.ports import EVERYBODY, BoardId, ScoreFact, StoreUnavailable
from actors.runtime import Actor, Question, Refusal

#: So many facts are ranked at once: a few milliseconds' work.
SLICE = 250


class LeaderboardActor(Actor):
    """Ranks all players of one board.

    The board of everybody's totals takes facts in as they are. The others are sections of the ledger, see `Section`: of
    a period, of a country, or of both. When a period ends the board begins anew, empty, in another epoch.
    """

    def __init__(self, board: BoardId, world: BoardWorld) -> None:
        self._board = board
        self._world = world
        self._ranking = Ranking()
        self._reader = Reader(self._ranking)
        self._showing = Showing(board, world, self._ranking, "not begun")
        self._rereading = Rereading()
        self._rebuilding = Rebuilding()
        scope = scope_of(board)
        self._section = None if scope == EVERYBODY else Section(scope, world)

    def __repr__(self) -> str:
        return f"<LeaderboardActor {self._board}, {len(self._ranking)} players, epoch {self._showing.epoch}>"

    # --- life ---

    async def started(self) -> None:
        """Load all players from the store, then show every watched channel the new epoch."""
        with self._ended_by_a_crash():
            await self._load()
            self._set_alarm()

    async def _load(self) -> None:
        """A store that is away is asked again and again, until whoever started this board loses patience."""
        while True:
            try:
                self._open(await self._loaded())
            except StoreUnavailable:
                await trio.sleep(self._world.tick_s)
            else:
                break
        if self._section is not None:
            self._keep_time(self._section)  # the period may have ended meanwhile

    async def _loaded(self) -> Ranking:
        if self._section is not None:
            return await self._section.loaded(self._tell_loading)
        world, ranking = self._world, Ranking()
        with world.kept_if_whole(ranking):
            await load(self._board, world.store.all_members(), ranking, self._tell_loading, world.clock.note)
        return ranking

    def _open(self, ranking: Ranking) -> None:
        """Begin a new epoch with this ranking: publish it, and show it to all who watch."""
        self._world.let_go(self._ranking)
        self._ranking = ranking
        self._reader = Reader(ranking)
        span = None if self._section is None else self._section.span
        self._showing = Showing(self._board, self._world, ranking, self._world.ids.nonce(), span)
        self._publish()
        self._showing.show_all()

    def _publish(self) -> None:
        """Let readers see all that has been taken in."""
        self._showing.publish()
        self._world.published.open(self._board, self._reader)

    def _tell_loading(self, loading: Loading) -> None:
        self._world.published.tell_loading(loading)
        self._world.loading(loading)

    def may_passivate(self) -> bool:
        """Not the board of everybody's totals, which each score asks; others when nobody has looked for a while."""
        looked = self._world.published.was_looked_at(self._board)
        return self._section is not None and not looked and not self._showing.watched

    async def stopped(self) -> None:
        """Take the view away: from now on it would grow old."""
        self._end()

    async def woken(self) -> None:
        """Whatever is due: a new period, the tick, players to be read again."""
        with self._ended_by_a_crash():
            if self._section is not None:
                await self._look_after(self._section)
            if self._showing.due <= trio.current_time():
                self._showing.tick()
            if self._rereading.due <= trio.current_time():
                await self._read_on()
            if self._rebuilding.due <= trio.current_time():
                await self._rebuild_on()
            self._set_alarm()

    def _end(self) -> None:
        self._world.published.withdraw(self._board)
        self._world.let_go(self._ranking)
        if self._rebuilding.ranking is not None:
            self._world.let_go(self._rebuilding.ranking)

    @contextmanager
    def _ended_by_a_crash(self) -> Iterator[None]:
        """A crash takes the view away at once: until the next incarnation has loaded, readers must ask and wait."""
        try:
            yield
        except Refusal:
            raise
        except BaseException:
            self._end()
            raise

    def _set_alarm(self) -> None:
        due = min(self._showing.due, self._rereading.due, self._rebuilding.due)
        if self._section is not None:
            due = min(due, self._section.due)
        self.wake_at = max(due, trio.current_time())

    # --- messages ---

    async def receive(self, message: Any) -> object:
        """Answer one message; none of them waits for anybody else."""
        with self._ended_by_a_crash():
            if self._section is not None:
                self._keep_time(self._section)
            answer = await self._apply(message.facts) if isinstance(message, Apply) else self._answer(message)
            self._set_alarm()
            return answer

    def _answer(self, message: object) -> object:
        if isinstance(message, Question):
            return self._reader(message)
        self._obey(message)
        return None

    def _obey(self, message: object) -> None:
        match message:
            case Watch(channel):
                self._showing.show(channel)
            case Unwatch(channel):
                self._showing.close(channel)
            case CatchUp() | Rebuild() if self._section is not None:
                self._section.read_again(trio.current_time())
            case CatchUp():
                self._rereading.begin(trio.current_time())
            case Rebuild():
                self._rebuilding.begin(trio.current_time())
            case _:
                raise TypeError(f"a leaderboard does not understand {message!r}")

    # --- facts ---

    async def _apply(self, facts: tuple[ScoreFact, ...]) -> tuple[RankMove, ...]:
        """In slices, between which others run. Nobody sees half of it: no message comes between, nor any reader.

        Only the board of everybody's totals tells how ranks moved.
        """
        moves: list[RankMove] = []
        for start in range(0, len(facts), SLICE):
            if start:
                self._world.published.shut(self._board)
                await trio.lowlevel.checkpoint()
            piece = facts[start : start + SLICE]
            if self._section is None:
                self._showing.moved = self._showing.moved or any(self._ranking.is_news(fact) for fact in piece)
                moves += [self._ranking.apply(fact) for fact in piece]
                self._rebuilding.take(piece)
            else:
                self._take(self._section, piece)
        self._publish()
        return tuple(moves)

    def _take(self, section: Section, facts: tuple[ScoreFact, ...]) -> None:
        """The first fact from behind the end of the period ends it, even if the clock of this machine is late."""
        for fact in facts:
            if section.ended_by(fact):
                self._open(section.begin())
            self._showing.moved |= section.take(fact)

    def _keep_time(self, section: Section) -> None:
        """Nobody is told anything of a period that is over, nor for long of one that has yet to begin."""
        if section.over:
            self._open(section.begin())
        elif section.early and section.reading_due == math.inf:
            section.read_again(trio.current_time())

    async def _look_after(self, section: Section) -> None:
        """Keep time; read all players again if facts were lost, and those who are in doubt; go on with the copy."""
        self._keep_time(section)
        if section.reading_due <= trio.current_time():
            try:
                self._open(await self._loaded())
            except StoreUnavailable:
                section.read_again(trio.current_time() + self._world.tick_s)
            self._keep_time(section)
        if section.doubts_due <= trio.current_time() and await section.settle():
            self._showing.moved = True
            self._publish()
        if section.copy_due <= trio.current_time():
            section.copy()

    async def _read_on(self) -> None:
        """Read one page and take in what is news; others are served between two pages."""
        try:
            facts = await self._rereading.page(self._world.store)
        except StoreUnavailable:
            self._rereading.postpone(trio.current_time() + self._world.tick_s)
            return
        await self._apply(tuple(fact for fact in facts if self._ranking.is_news(fact)))

    async def _rebuild_on(self) -> None:
        """Read one page of the ranking that is to take this one's place; the last one opens it."""
        try:
            whole = await self._rebuilding.read_on(self._world.store)
        except StoreUnavailable:
            self._rebuilding.postpone(trio.current_time() + self._world.tick_s)
            return
        if whole is not None:
            self._open(whole)
