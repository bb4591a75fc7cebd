"""Making the ranked state of a board anew from all that the store has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

import trio

from actors.ports import BoardId, MemberPages, Members

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


class Loadable(Protocol):
    """What takes players in before all else, and then puts them in order."""

    def load(self, members: Members) -> None:
        """Add many new players."""
        ...

    def arrange(self) -> Iterator[None]:
        """Put them in order, in steps."""
        ...


async def load(
    board: BoardId,
    reading: AbstractAsyncContextManager[MemberPages],
    into: Loadable,
    tell: Callable[[Loading], None],
    note: Callable[[int], None] = lambda _: None,
) -> None:
    """Take in all players of a board; others have turns meanwhile.

    The next page is on its way while one is taken in. `note` hears of the latest moments in which scores were reached.
    Raises StoreUnavailable, and then it must be begun anew: pages of two readings are of two moments, and a player
    might stand in both or in none.
    """
    players = 0
    tell(Loading(board, 0, 0.0))
    async with reading as pages:
        while (page := await pages.next()) is not None:
            for start in range(0, len(page.user_ids), SLICE):
                await trio.lowlevel.checkpoint()
                into.load(page.part(start, start + SLICE))
            players += len(page.user_ids)
            note(max(page.reached_us, default=0))
            tell(Loading(board, players, page.share))
    for _ in into.arrange():
        await trio.lowlevel.checkpoint()
