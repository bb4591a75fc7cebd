"""Sees to it that Redis has the sorted set of the board of all time, all of it, whatever befalls Redis."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio

from actors.ports import ALL_TIME, BoardCache, ScoreStore, StoreError, UserId
from scoreboard.observe.logs import Logger
from scoreboard.stores.redis_whole import RedisWhole

#: From one look to the next, in seconds.
LOOK_S = 10.0
#: So many players at once, and seconds from these to the next: nobody else shall notice.
PAGE, BREATH_S = 1_000, 0.1


async def keep_whole(
    whole: RedisWhole,
    store: ScoreStore,
    cache: BoardCache,
    log: Logger,
    sleep: Callable[[float], Awaitable[None]] = trio.sleep,
) -> None:
    """Look now and then, for ever, and fill the set where it is not whole; of all workers one does.

    What it has stays: scores there are only raised. So it never shows less than it did.
    """
    while True:
        await sleep(LOOK_S)
        try:
            generation = await whole.claim()
        except StoreError:
            continue  # it is away, which others say
        if generation is None:
            continue
        began = trio.current_time()
        try:
            players = await _fill(whole, store, cache, sleep)
            await whole.filled(generation)
        except StoreError as error:
            log.info("redis_not_filled", reason=str(error))
            continue
        if players:
            log.info("redis_filled", players=players, seconds=round(trio.current_time() - began, 2))


async def _fill(
    whole: RedisWhole, store: ScoreStore, cache: BoardCache, sleep: Callable[[float], Awaitable[None]]
) -> int:
    last: UserId | None = None
    count = 0
    while facts := await store.members_after(last, PAGE):
        await whole.go_on()
        await cache.put(ALL_TIME, facts)
        count, last = count + len(facts), facts[-1].user_id
        await sleep(BREATH_S)
    return count
