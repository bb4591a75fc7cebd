"""What others see of a board in one epoch: the published view, and what each watched channel has been shown."""

from __future__ import annotations

import math

import trio

from actors.leaderboard.events import Channel, Row
from actors.leaderboard.published import PUBLISHED_ROWS, BoardView
from actors.leaderboard.ranking import Ranking
from actors.leaderboard.update import Update
from actors.leaderboard.window import Window
from actors.leaderboard.world import BoardWorld
from actors.ports import BoardId, Span, UserId
from actors.runtime import ActorError

#: So many channels that nobody watches are kept as they were shown last: a client that was alone, and comes back, then
#: needs no snapshot.
CLOSED = 8


class Showing:
    """Shows a ranking, which others change and then say so by `moved`. Synchronous.

    At most one step of each channel in a tick, none when nothing of it has visibly changed.
    """

    def __init__(
        self, board: BoardId, world: BoardWorld, ranking: Ranking, epoch: str, span: Span | None = None
    ) -> None:
        self.epoch = epoch
        self.moved = False
        self._board, self._world, self._ranking, self._span = board, world, ranking, span
        self._resets_us = None if span is None else span.end_us
        self._windows: dict[Channel, Window] = {}
        self._closed: dict[Channel, Window] = {}  # for who comes back soon; who was closed first stands first
        self._versions: dict[Channel, int] = {}  # of windows that were closed, so that no version comes twice
        self._unheard: set[Channel] = set()  # their audience could not take the last step
        self._last_tick = -math.inf

    @property
    def watched(self) -> bool:
        """Whether somebody watches a channel."""
        return bool(self._windows)

    @property
    def due(self) -> float:
        """When the next tick is, infinite if there is nothing to tell."""
        return self._last_tick + self._world.tick_s if self.moved or self._unheard else math.inf

    # --- the view ---

    def publish(self) -> None:
        """A new view, unless the one that is shown says the same: most scores move nobody among the first rows."""
        rows, total = self._ranking.head(PUBLISHED_ROWS), len(self._ranking)
        shown = self._world.published.current(self._board)
        if shown is None or shown.rows is not rows or (shown.epoch, shown.total) != (self.epoch, total):
            self._world.published.publish(BoardView(self._board, self.epoch, rows, total, self._span))

    # --- channels ---

    def show_all(self) -> None:
        """Show every channel that is watched where the board stands, the smallest first."""
        for channel in sorted(self._world.watched, key=lambda each: each.size):
            if channel.board == self._board:
                self.show(channel)

    def show(self, channel: Channel) -> None:
        """Somebody watches it."""
        self._broadcast(self._window(channel).shown)

    def close(self, channel: Channel) -> None:
        """Nobody watches it any more."""
        self._world.watched.discard(channel)
        self._unheard.discard(channel)
        window = self._windows.pop(channel, None)
        if window is not None:
            self._closed[channel] = window
            if len(self._closed) > CLOSED:
                oldest = next(iter(self._closed))
                self._versions[oldest] = self._closed.pop(oldest).shown.full.version

    def _window(self, channel: Channel) -> Window:
        if channel not in self._windows:
            self._world.watched.add(channel)
            rows, total, now_us = self._first(channel.size), len(self._ranking), self._world.clock.now_us()
            window = self._closed.pop(channel, None)
            if window is None:
                version = self._versions.pop(channel, 0) + 1
                window = Window(channel, self.epoch, rows, total, now_us, version=version, resets_us=self._resets_us)
            else:
                window.catch_up(rows, total, now_us)
            self._windows[channel] = window
        return self._windows[channel]

    def _first(self, size: int) -> tuple[Row, ...]:
        return self._ranking.head(PUBLISHED_ROWS)[:size]

    def _broadcast(self, update: Update) -> None:
        """Hand a step over. If its audience cannot take it, what the channel shows then is said with the next tick."""
        self._unheard.discard(update.channel)
        try:
            self._world.broadcast(update)
        except ActorError:
            self._unheard.add(update.channel)

    # --- the tick ---

    def tick(self) -> None:
        """Each watched channel makes at most one step; none when nothing of it has visibly changed."""
        self._last_tick = trio.current_time()
        self.moved = False
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
