"""Boards read anew from Postgres while they are shown, and the sorted set in Redis filled anew."""

from __future__ import annotations

from collections.abc import Mapping

import trio

from actors.leaderboard.messages import Rebuild
from actors.leaderboard.published import PublishedBoards
from actors.ports import ALL_TIME, BoardCache, BoardId, ScoreStore, UserId
from actors.runtime import Directory

#: A board of many millions of players takes minutes.
WITHIN_S = 900.0
PAGE = 10_000
_LOOK_EVERY_S = 0.05


async def rebuild_boards(boards: Directory[BoardId], published: PublishedBoards) -> int:
    """Have all boards in memory read again, and wait until each is a new one; how many there were.

    Raises:
        trio.TooSlowError: one is not, after `WITHIN_S` seconds.
        MailboxFull: one has no time to hear of it.
    """
    views = {board: published.current(board) for board in boards.keys}
    old = {board: view.epoch for board, view in views.items() if view is not None}
    for board in old:
        boards.offer(board, Rebuild())
    with trio.fail_after(WITHIN_S):
        while _not_yet(old, published):  # noqa: ASYNC110 - it changes by each board's own hand
            await trio.sleep(_LOOK_EVERY_S)
    return len(old)


def _not_yet(old: Mapping[BoardId, str], published: PublishedBoards) -> bool:
    views = [(epoch, published.current(board)) for board, epoch in old.items()]
    return any(view is not None and view.epoch == epoch for epoch, view in views)


async def refill_cache(store: ScoreStore, cache: BoardCache) -> int:
    """Empty the copy of the board of all time and write all players to it; how many. What comes meanwhile is kept.

    Raises StoreError; then it is as far as it came, and can be done again.
    """
    await cache.clear(ALL_TIME)
    last: UserId | None = None
    count = 0
    while facts := await store.members_after(last, PAGE):
        await cache.put(ALL_TIME, facts)
        count, last = count + len(facts), facts[-1].user_id
    return count
