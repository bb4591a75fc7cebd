"""The boards that are in memory beside that of everybody's totals, and how they hear of what was scored."""

from __future__ import annotations

import math
from collections.abc import Sequence

import trio

from actors.leaderboard.concerns import Hearers
from actors.leaderboard.messages import Apply, CatchUp
from actors.leaderboard.scope import scope_of
from actors.ports import ALL_TIME, BoardId, ScoreFact
from actors.runtime import Directory, MailboxFull


class ActiveBoards:
    """Tells facts to every board in memory that they concern, in one step without a wait.

    A score activates no board: what nobody looks at is read from the store when somebody does. Whoever is activated is
    in the directory before reading begins, so a fact is told if it was committed after the reading, and told or read or
    both if before. A board that has no room is told to read everything again, as soon as it can hear that.
    """

    def __init__(self, directory: Directory[BoardId], *, rest_s: float = 0.5) -> None:
        self._directory = directory
        self._rest_s = rest_s
        self._behind: dict[BoardId, float] = {}  # when to try again

    def __repr__(self) -> str:
        return f"<ActiveBoards, {len(self._others())} beside, {len(self._behind)} behind>"

    @property
    def due(self) -> float:
        """When `remind` should be called, infinite if nothing is owed."""
        return min(self._behind.values(), default=math.inf)

    def tell(self, facts: Sequence[ScoreFact]) -> None:
        """These are on disk. Costs next to nothing while there are no such boards."""
        others = self._others()
        if not (others and facts):
            return
        hearers = Hearers(facts)
        for board in others:
            heard = hearers.of(scope_of(board))
            if heard:
                self._offer(board, Apply(heard))

    def remind(self) -> None:
        """Tell those to read everything again who had no room for facts."""
        now = trio.current_time()
        for board, at in list(self._behind.items()):
            if at <= now:
                del self._behind[board]
                self._offer(board, CatchUp())

    def catch_up(self) -> None:
        """Facts may have been lost: all must read everything again."""
        for board in self._others():
            self._offer(board, CatchUp())

    def _others(self) -> list[BoardId]:
        return [board for board in self._directory.keys if board != ALL_TIME]

    def _offer(self, board: BoardId, message: Apply | CatchUp) -> None:
        try:
            self._directory.offer(board, message)
        except MailboxFull:
            self._behind[board] = trio.current_time() + self._rest_s
