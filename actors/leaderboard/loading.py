"""Making the ranked state of a board anew from all that the store has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import trio

from actors.leaderboard.ranking import Ranking
from actors.ports import BoardId, ScoreStore

#: So many players are taken in at once: a few milliseconds' work.
SLICE = 4_000


@dataclass(frozen=True, slots=True)
class Loading:
    """How far a board is: players taken in, and which share of all they are, from 0 to 1."""

    board: BoardId
    players: int
    share: float

    @property
    def about(self) -> int:
        """How many there will be: exact at the end, and about right as soon as something was read."""
        return round(self.players / self.share) if self.share else self.players


async def loaded(board: BoardId, store: ScoreStore, tell: Callable[[Loading], None]) -> Ranking:
    """A ranking of all players; others have turns meanwhile.

    The next page is on its way while one is taken in. Raises StoreUnavailable, and then it must be begun anew: pages of
    two readings are of two moments, and a player might stand in both or in none.
    """
    ranking = Ranking()
    tell(Loading(board, 0, 0.0))
    async with store.all_members() as pages:
        while (page := await pages.next()) is not None:
            for start in range(0, len(page.user_ids), SLICE):
                await trio.lowlevel.checkpoint()
                ranking.load(page.part(start, start + SLICE))
            tell(Loading(board, len(ranking), page.share))
    for _ in ranking.arrange():
        await trio.lowlevel.checkpoint()
    return ranking
