"""The owner of one board's ranked state. It answers ranks, publishes a view, and says on its tick what has changed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import trio

from actors.leaderboard.events import Channel, Row
from actors.leaderboard.loading import Loading, loaded
from actors.leaderboard.messages import Apply, CatchUp, RankMove, Unwatch, Watch
from actors.leaderboard.published import PUBLISHED_ROWS, BoardView, PublishedBoards
from actors.leaderboard.ranking import Ranking
from actors.leaderboard.reader import Reader
from actors.leaderboard.reading import Reading
from actors.leaderboard.update import Update
from actors.leaderboard.window import Window
from actors.ports import BoardId, Ids, ScoreStore, StoreUnavailable, UserId, WallClock
from actors.runtime import Actor, ActorError, Question, Refusal

#: So many facts are ranked at once: a few milliseconds' work.
SLICE = 250


@dataclass(frozen=True, slots=True)
class BoardWorld:
    """What a board needs from outside.

    `broadcast` hands a step to its channel's audience and never waits; an ActorError says that it was not taken, and
    then the board says it again. `watched` outlives incarnations: the channels that have an audience. `loading` hears
    how far the loading of the board is, page by page.
    """

    store: ScoreStore
    clock: WallClock
    ids: Ids
    published: PublishedBoards
    watched: set[Channel]
    broadcast: Callable[[Update], None]
    tick_s: float = 1.0
    loading: Callable[[Loading], None] = lambda _: None


class LeaderboardActor(Actor):
    """Ranks all players of one board."""

    def __init__(self, board: BoardId, world: BoardWorld) -> None:
        self._board = board
        self._world = world
        self._ranking = Ranking()
        self._reader = Reader(self._ranking)
        self._epoch = world.ids.nonce()
        self._windows: dict[Channel, Window] = {}
        self._versions: dict[Channel, int] = {}  # of windows that were closed, so that no version comes twice
        self._unheard: set[Channel] = set()  # their audience could not take the last step
        self._moved = False
        self._last_tick = -math.inf
        self._reading = Reading()

    def __repr__(self) -> str:
        return f"<LeaderboardActor {self._board}, {len(self._ranking)} players, epoch {self._epoch}>"

    # --- life ---

    async def started(self) -> None:
        """Load all players from the store, then show every watched channel the new epoch."""
        with self._published_while_well():
            await self._load()
            self._publish()
            for channel in sorted(self._world.watched, key=lambda each: each.size):
                if channel.board == self._board:
                    self._broadcast(self._window(channel).shown)
            self._set_alarm()

    async def _load(self) -> None:
        """A store that is away is asked again and again, until whoever started this board loses patience."""
        while True:
            try:
                self._ranking = await loaded(self._board, self._world.store, self._tell_loading)
            except StoreUnavailable:
                await trio.sleep(self._world.tick_s)
            else:
                self._reader = Reader(self._ranking)
                return

    def _tell_loading(self, loading: Loading) -> None:
        self._world.published.tell_loading(loading)
        self._world.loading(loading)

    async def stopped(self) -> None:
        """Take the view away: from now on it would grow old."""
        self._world.published.withdraw(self._board)

    async def woken(self) -> None:
        """Tell what has changed since the last tick; read on, if players are being read again."""
        with self._published_while_well():
            if self._tick_due() <= trio.current_time():
                self._tick()
            if self._reading.due <= trio.current_time():
                await self._read_on()
            self._set_alarm()

    @contextmanager
    def _published_while_well(self) -> Iterator[None]:
        """A crash takes the view away at once: until the next incarnation has loaded, readers must ask and wait."""
        try:
            yield
        except Refusal:
            raise
        except BaseException:
            self._world.published.withdraw(self._board)
            raise

    # --- messages ---

    async def receive(self, message: Any) -> object:
        """Answer one message; none of them waits for anybody else."""
        with self._published_while_well():
            answer = await self._apply(message) if isinstance(message, Apply) else self._answer(message)
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
                self._broadcast(self._window(channel).shown)
            case Unwatch(channel):
                self._close(channel)
            case CatchUp():
                self._reading.begin(trio.current_time())
            case _:
                raise TypeError(f"a leaderboard does not understand {message!r}")

    async def _apply(self, message: Apply) -> tuple[RankMove, ...]:
        """In slices, between which others run. Nobody sees half of it: no message comes between, nor any reader."""
        facts, moves = message.facts, []
        if len(facts) > SLICE:
            self._world.published.shut(self._board)
        for start in range(0, len(facts), SLICE):
            if start:
                await trio.lowlevel.checkpoint()
            piece = facts[start : start + SLICE]
            self._moved = self._moved or any(self._ranking.is_news(fact) for fact in piece)
            moves += [self._ranking.apply(fact) for fact in piece]
        self._publish()
        return tuple(moves)

    async def _read_on(self) -> None:
        """Read one page and take in what is news; others are served between two pages."""
        try:
            facts = await self._reading.page(self._world.store)
        except StoreUnavailable:
            self._reading.postpone(trio.current_time() + self._world.tick_s)
            return
        await self._apply(Apply(tuple(fact for fact in facts if self._ranking.is_news(fact))))

    # --- what others see ---

    def _publish(self) -> None:
        """A new view, unless the one that is shown says the same: most scores move nobody among the first rows."""
        rows, total = self._ranking.head(PUBLISHED_ROWS), len(self._ranking)
        shown = self._world.published.get(self._board)
        if shown is None or shown.rows is not rows or (shown.epoch, shown.total) != (self._epoch, total):
            self._world.published.publish(BoardView(self._board, self._epoch, rows, total))
        self._world.published.open(self._board, self._reader)

    def _first(self, size: int) -> tuple[Row, ...]:
        return self._ranking.head(PUBLISHED_ROWS)[:size]

    def _window(self, channel: Channel) -> Window:
        if channel not in self._windows:
            self._world.watched.add(channel)
            rows, total, now_us = self._first(channel.size), len(self._ranking), self._world.clock.now_us()
            version = self._versions.pop(channel, 0) + 1
            self._windows[channel] = Window(channel, self._epoch, rows, total, now_us, version=version)
        return self._windows[channel]

    def _close(self, channel: Channel) -> None:
        self._world.watched.discard(channel)
        self._unheard.discard(channel)
        window = self._windows.pop(channel, None)
        if window is not None:
            self._versions[channel] = window.shown.full.version

    def _broadcast(self, update: Update) -> None:
        """Hand a step over. If its audience cannot take it, what the channel shows then is said with the next tick."""
        self._unheard.discard(update.channel)
        try:
            self._world.broadcast(update)
        except ActorError:
            self._unheard.add(update.channel)

    # --- the tick ---

    def _tick_due(self) -> float:
        return self._last_tick + self._world.tick_s if self._moved or self._unheard else math.inf

    def _set_alarm(self) -> None:
        self.wake_at = max(min(self._tick_due(), self._reading.due), trio.current_time())

    def _tick(self) -> None:
        """Each watched channel makes at most one step; none when nothing of it has visibly changed."""
        self._last_tick = trio.current_time()
        self._moved = False
        for channel, window in self._windows.items():
            step = self._advance(window)
            if step is None and channel in self._unheard:
                step = window.shown
            if step is not None:
                self._broadcast(step)
        self._ranking.mark()

    def _advance(self, window: Window) -> Update | None:
        shown = window.shown.full
        rows = self._first(shown.channel.size)
        came = self._came(shown.rows, rows)
        scores = self._ranking.scores_at_mark(came)
        moved = came | self._went(shown.rows, rows)
        return window.advance(rows, len(self._ranking), self._world.clock.now_us(), moved, scores)

    def _came(self, shown: tuple[Row, ...], rows: tuple[Row, ...]) -> dict[UserId, tuple[int | None, int]]:
        """Rank at the last tick and now of players that come into the rows."""
        known = {row.user_id for row in shown}
        came = {row.user_id: row.rank for row in rows if row.user_id not in known}
        if not came:
            return {}
        before = self._ranking.ranks_at_mark(came)
        return {user_id: (before[user_id], rank) for user_id, rank in came.items()}

    def _went(self, shown: tuple[Row, ...], rows: tuple[Row, ...]) -> dict[UserId, tuple[int | None, int]]:
        """Rank shown and rank now of players that have left the rows."""
        here = {row.user_id for row in rows}
        went = [(row, self._ranking.rank(row.user_id)) for row in shown if row.user_id not in here]
        return {row.user_id: (row.rank, rank) for row, rank in went if rank is not None}
