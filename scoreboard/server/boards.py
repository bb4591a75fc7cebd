"""The boards of one server and those who watch them, each found by key when it is needed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import tzinfo
from functools import partial

from actors.leaderboard.actor import LeaderboardActor
from actors.leaderboard.audience import AudienceActor
from actors.leaderboard.crowd import Crowd
from actors.leaderboard.events import AROUND, Channel
from actors.leaderboard.keeper import ArchiveKeeper, KeeperWorld
from actors.leaderboard.messages import Show
from actors.leaderboard.neighbours import NeighboursActor, Watchers
from actors.leaderboard.present import Present
from actors.leaderboard.published import PublishedBoards
from actors.leaderboard.ranking import Ranking
from actors.leaderboard.turns import Turns
from actors.leaderboard.update import Update
from actors.leaderboard.world import BoardWorld
from actors.ledger.messages import Copy
from actors.ports import ALL_TIME, BoardId, BoardPart, Period
from actors.runtime import ActorError, CellOptions, Directory, GaveUp, Ref, RestartPolicy, running_actor
from scoreboard.server.outside import CoreHooks, CorePorts
from scoreboard.wire.countries import COUNTRIES

#: A board of a million players takes some seconds to load.
BOARD_OPTIONS = CellOptions(capacity=20_000, start_within_s=120.0)
#: A board of a period or of a country is let go when nobody has looked for so long.
BOARD_IDLE_S = 300.0
#: As many as there are. With fewer, one client that looks at enough countries would take their boards from all others;
#: and fewer would hold no less, for a player stands on eight at most, and an empty board is small.
MOST_BOARDS = len(Period) * (1 + len(COUNTRIES))
#: So many of them are loaded at once, so that scores find a connection to the database.
BOARDS_LOADING = 2
#: Everybody may come back at the same moment.
AUDIENCE_OPTIONS = CellOptions(capacity=50_000)
#: One without watchers costs nothing to make again, and there may be a hundred for each board.
AUDIENCE_IDLE_S = 5.0
#: Nobody waits for the archive: whatever goes wrong, it is tried again.
KEEPER_OPTIONS = CellOptions(restarts=RestartPolicy(cap_s=300.0, max_restarts=100_000))


class Boards:
    """A board tells its audiences; an audience asks its board; a keeper has periods archived that are over.

    All of them run while `running` does.
    """

    def __init__(
        self,
        ports: CorePorts,
        hooks: CoreHooks,
        publisher: Ref,
        remains: Ref,
        *,
        tick_s: float,
        zones: Mapping[Period, tzinfo],
    ) -> None:
        self.published = PublishedBoards()
        self._hooks, self._publisher, self._remains, self._rng = hooks, publisher, remains, ports.rng
        self._crowds: dict[Channel, Crowd] = {}
        self._watchers: dict[BoardId, Watchers] = {}
        self._world = self._seen_by_boards(ports, tick_s, zones)
        self._keeper = KeeperWorld(ports.archive, ports.clock, zones, hooks.period_over, hooks.period_archived)
        self.boards: Directory[BoardId] = Directory(
            "board",
            lambda board: LeaderboardActor(board, self._world),
            rng=ports.rng,
            options=BOARD_OPTIONS,
            observer=hooks.observer,
            idle_after_s=BOARD_IDLE_S,
            max_live=MOST_BOARDS,
            on_give_up=self._gave_up,
        )
        self.audiences: Directory[str] = Directory(
            "audience",
            self._audience,
            rng=ports.rng,
            options=AUDIENCE_OPTIONS,
            observer=hooks.observer,
            idle_after_s=AUDIENCE_IDLE_S,
        )

    def _seen_by_boards(self, ports: CorePorts, tick_s: float, zones: Mapping[Period, tzinfo]) -> BoardWorld:
        return BoardWorld(
            ports.scores,
            Present(ports.clock),
            ports.ids,
            self.published,
            set(),
            self._broadcast,
            tick_s,
            self._hooks.board_loading,
            zones,
            turn=Turns(BOARDS_LOADING).of,
            mirror=self._copy,
            let_go=self._let_go,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Boards]:
        """Run all of them while the body runs; the boards stop last."""
        keeper = running_actor(
            "archive",
            partial(ArchiveKeeper, self._keeper),
            rng=self._rng,
            options=KEEPER_OPTIONS,
            observer=self._hooks.observer,
        )
        async with self.boards.running(), self.audiences.running(), keeper:
            yield self

    def _broadcast(self, update: Update) -> None:
        self._hooks.board_stepped()
        # An audience that has no room raises, and the board says it again with its next tick.
        self.audiences.tell(update.channel.key, Show(update))

    def _audience(self, key: str) -> AudienceActor | NeighboursActor:
        board, _, kind = key.rpartition("/")
        if kind == AROUND:
            return NeighboursActor(
                self.boards.ref(BoardId(board)),
                self._watchers.setdefault(BoardId(board), {}),
                clock=self._world.clock,
                ids=self._world.ids,
                tick_s=self._world.tick_s,
            )
        channel = Channel.of_key(key)
        crowd = self._crowds.setdefault(channel, Crowd(channel, self._hooks.frames_sent, self._hooks.frames_skipped))
        forgotten = partial(self._crowds.pop, channel, None)
        return AudienceActor(self.boards.ref(channel.board), crowd, forgotten=forgotten)

    def _gave_up(self, board: BoardId, error: GaveUp) -> None:
        # Without the board of all time no score is ranked; any other is made anew when somebody looks again.
        if board == ALL_TIME:
            raise error
        self._hooks.board_gave_up(board, error)

    def _copy(self, part: BoardPart) -> None:
        self._publisher.tell(Copy(part))

    def _let_go(self, ranking: Ranking) -> None:
        with suppress(ActorError):  # then it goes at once
            self._remains.tell(ranking)
