"""Boards and spent tokens for readers beside this process; they may be lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from actors.ports.facts import ScoreFact
from actors.ports.ids import BoardId, UserId

#: For so long a board is kept whose players nobody shows any more, in seconds.
SHOWN_S = 600.0


class BoardPart(NamedTuple):
    """Some players of a board with their scores, and some who are not there any more.

    `piece`: which part of a copy of all players it is, from 0; `whole`: the last one, and who is in none of them is not
    on the board. None: it only tells what has changed. After `until_us` the board is over; None: it never is.
    """

    board: BoardId
    scores: Mapping[UserId, int]
    gone: tuple[UserId, ...] = ()
    piece: int | None = None
    whole: bool = False
    until_us: int | None = None


class SpentToken(NamedTuple):
    """A token that has been spent, by its hash, for which action and by whom; of no use to anybody after `until_us`."""

    name: bytes
    user_id: UserId
    action_id: str
    until_us: int


class BoardCache(Protocol):
    """The sorted sets of boards in Redis, for readers beside this process."""

    async def put(self, board: BoardId, facts: Sequence[ScoreFact], spent: Sequence[SpentToken] = ()) -> None:
        """Raise the scores and set the cached names, countries and avatars of players; a batch in one round trip.

        With it go the tokens that were `spent`, which may be refused from then on without asking anybody else. A score
        is never lowered, so facts may come late or twice, from any worker. Whose newest fact is hidden is taken off,
        and is not brought back by an older one. Raises StoreUnavailable.
        """
        ...

    async def show(self, part: BoardPart) -> None:
        """Set the scores of these players, and forget those who are gone. Raises StoreUnavailable.

        When all pieces of a copy have come, one after the other, it takes the place of what was there; otherwise
        nothing does. Several workers may show the same board. What nobody has shown for `SHOWN_S` seconds goes.
        """
        ...

    async def top(self, board: BoardId, limit: int) -> list[tuple[UserId, int]]:
        """The best `limit` players with their scores, best first; equal scores by descending id, as Redis has them."""
        ...

    async def clear(self, board: BoardId) -> None:
        """Forget the board."""
        ...
