"""The owner of one board's ranked state. It answers ranks, publishes a view, and says on its tick what has changed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import trio

from actors.leaderboard.events import Channel
from actors.leaderboard.messages import (
    Apply,
    Loaded,
    NotRanked,
    Page,
    PageAnswer,
    RankMove,
    Standing,
    StandingAnswer,
    Watch,
)
from actors.leaderboard.published import PUBLISHED_ROWS, BoardView, PublishedBoards
from actors.leaderboard.ranking import Ranking
from actors.leaderboard.update import Update
from actors.leaderboard.window import Window
from actors.ports import BoardId, Ids, ScoreStore, UserId, WallClock
from actors.runtime import Actor

#: How many players are loaded in one round trip.
LOAD_PAGE = 10_000


@dataclass(frozen=True, slots=True)
class BoardWorld:
    """What a board needs from outside. `broadcast` hands a step to its channel's audience and never waits.

    `watched` outlives incarnations: the channels that have an audience.
    """

    store: ScoreStore
    clock: WallClock
    ids: Ids
    published: PublishedBoards
    watched: set[Channel]
    broadcast: Callable[[Update], None]
    tick_s: float = 1.0


class LeaderboardActor(Actor):
    """Ranks all players of one board."""

    def __init__(self, board: BoardId, world: BoardWorld) -> None:
        self._board = board
        self._world = world
        self._ranking = Ranking()
        self._epoch = world.ids.nonce()
        self._windows: dict[Channel, Window] = {}
        self._last_tick = -math.inf
        self._ranks_at_tick: dict[UserId, int | None] = {}  # of those who scored since, at the last tick

    def __repr__(self) -> str:
        return f"<LeaderboardActor {self._board}, {len(self._ranking)} players, epoch {self._epoch}>"

    # --- life ---

    async def started(self) -> None:
        """Load all players from the store, then show every watched channel the new epoch."""
        last: UserId | None = None
        while True:
            facts = await self._world.store.members_after(last, LOAD_PAGE)
            self._ranking.load(facts)
            if len(facts) < LOAD_PAGE:
                break
            last = facts[-1].user_id
        self._publish()
        for channel in sorted(self._world.watched, key=lambda each: each.size):
            if channel.board == self._board:
                self._world.broadcast(self._window(channel).shown)

    async def stopped(self) -> None:
        """Take the view away: from now on it would grow old."""
        self._world.published.withdraw(self._board)

    async def woken(self) -> None:
        """The tick: tell each watched channel what has changed since the last one."""
        self._last_tick = trio.current_time()
        for window in self._windows.values():
            self._advance(window)
        self._ranks_at_tick.clear()

    # --- messages ---

    async def receive(self, message: Any) -> object:
        """Answer one message; none of them waits for anybody else."""
        match message:
            case Apply():
                return self._apply(message)
            case Standing():
                return self._standing(message.user_id)
            case Page():
                return PageAnswer(self._ranking.rows(message.offset, message.limit), len(self._ranking))
            case Watch():
                return self._window(message.channel).shown
            case Loaded():
                return len(self._ranking)
        raise TypeError(f"a leaderboard does not understand {message!r}")

    def _apply(self, message: Apply) -> tuple[RankMove, ...]:
        moves = []
        for fact in message.facts:
            move = self._ranking.apply(fact)
            self._ranks_at_tick.setdefault(fact.user_id, move.previous)
            moves.append(RankMove(move.previous, move.new))
        self._publish()
        if self.wake_at == math.inf:
            self.wake_at = max(trio.current_time(), self._last_tick + self._world.tick_s)
        return tuple(moves)

    def _standing(self, user_id: UserId) -> StandingAnswer:
        row = self._ranking.row(user_id)
        if row is None:
            raise NotRanked("There is no such player on this board.")
        total = len(self._ranking)
        return StandingAnswer(row, round(100 * (total - row.rank + 1) / total, 1), total)

    # --- what others see ---

    def _publish(self) -> None:
        rows = self._ranking.rows(0, PUBLISHED_ROWS)
        self._world.published.publish(BoardView(self._board, self._epoch, rows, len(self._ranking)))

    def _window(self, channel: Channel) -> Window:
        if channel not in self._windows:
            self._world.watched.add(channel)
            rows, total, now_us = self._ranking.rows(0, channel.size), len(self._ranking), self._world.clock.now_us()
            self._windows[channel] = Window(channel, self._epoch, rows, total, now_us)
        return self._windows[channel]

    def _advance(self, window: Window) -> None:
        shown = window.shown.full
        rows = self._ranking.rows(0, shown.channel.size)
        here = {row.user_id for row in rows}
        ranks = {user_id: (rank, 0) for user_id, rank in self._ranks_at_tick.items() if user_id in here}
        for gone in shown.rows:
            if gone.user_id not in here:
                ranks[gone.user_id] = (gone.rank, self._ranking.rank(gone.user_id) or 0)
        update = window.advance(rows, len(self._ranking), self._world.clock.now_us(), ranks)
        if update is not None:
            self._world.broadcast(update)
