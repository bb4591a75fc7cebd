"""What goes on beside a server's work: the board of all time is loaded, stores are cleaned, keys are read again."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import trio

from actors.leaderboard.messages import Loaded
from actors.ports import ALL_TIME, StoreError, WallClock
from actors.runtime import Child, RestartPolicy, one_for_one
from scoreboard.security.familiar import MOST
from scoreboard.security.keyfolder import FOLDER
from scoreboard.security.lookalikes import look
from scoreboard.server.acts import carry
from scoreboard.server.core import FOR_EVER, Core
from scoreboard.server.familiar_places import keep_familiar
from scoreboard.server.hooks import CoreWatch
from scoreboard.server.keychain import rotate_old_keys
from scoreboard.server.parts import Parts
from scoreboard.server.whole_set import keep_whole
from scoreboard.stores.opening import Stores
from scoreboard.stores.redis_familiar import RedisFamiliar
from scoreboard.stores.redis_whole import RedisWhole

MAINTENANCE_S = 3600.0
BOARD_LOAD_S = 120.0
CARRY_S = 5.0
#: Spent tokens and idempotency keys are kept so long; a token is dead much sooner, a client's retry as well.
KEPT_US = 7 * 24 * 3600 * 1_000_000


async def keep_house(parts: Parts, stores: Stores, core: Core, watch: CoreWatch) -> None:
    """Load the board and encrypt what is in the clear, clean the stores now and then, read the keys again and again."""

    async def load_board() -> None:
        began = trio.current_time()
        players = await core.boards.ask(ALL_TIME, Loaded(), within=BOARD_LOAD_S)
        parts.log.info("ready", players=players, seconds=round(trio.current_time() - began, 2))
        if not (await stores.ping()).redis:
            parts.log.warning("redis_does_not_answer", meaning="scores are kept, ranked and shown without it")

    async def clean_stores() -> None:
        while True:
            await trio.sleep(parts.settings.stores.clean_s)
            try:
                await stores.maintain()
                removed = await forget_old(stores, parts.clock)
            except StoreError as error:
                parts.log.warning("maintenance_postponed", reason=str(error))
            else:
                parts.log.info("maintained", rows_removed=removed)

    async def rotate_keys() -> None:
        folder = Path(parts.settings.data_dir) / FOLDER
        while True:
            await trio.to_thread.run_sync(partial(rotate_old_keys, folder, parts.settings, parts.log))
            await trio.sleep(MAINTENANCE_S)

    beside = [
        Child("rotation of keys", rotate_keys),
        Child("maintenance", clean_stores),
        Child("mending", partial(_mend_past, parts, stores)),
        Child("keys", parts.keys.keep),
        Child("acts", partial(_carry_acts, parts, stores)),
        Child("set of all time", partial(keep_whole, RedisWhole(stores.redis), stores.scores, stores.cache, parts.log)),
        Child("familiar places", partial(keep_familiar, parts.familiar, RedisFamiliar(stores.redis, most=MOST))),
    ]
    async with trio.open_nursery() as nursery:
        for children, policy in ([Child("board loader", load_board)], RestartPolicy()), (beside, FOR_EVER):
            nursery.start_soon(partial(one_for_one, children, policy=policy, observer=watch, rng=parts.rng))


async def forget_old(stores: Stores, clock: WallClock) -> int:
    """Purge spent tokens and keys that are old by both clocks, this machine's and that of Postgres; how many were.

    What seems old to one worker alone, whose clock is wrong, may be presented again at another one. Raises StoreError.
    """
    now_us = min(clock.now_us(), await stores.scores.now_us())
    return await stores.scores.purge(before_us=now_us - KEPT_US)


async def _carry_acts(parts: Parts, stores: Stores) -> None:
    """What was done to keys and services comes into the audit; what cannot be read is told once."""
    told: set[str] = set()
    while True:
        try:
            wrong = await carry(stores.audit, Path(parts.settings.data_dir))
        except StoreError:
            wrong = []  # the acts wait in their files
        except OSError as error:  # those that were taken stay there too, and are in the audit once all the same
            wrong = [f"The acts in the data directory cannot be taken: {error}"]
        for reason in set(wrong) - told:
            parts.log.error("act_not_recorded", reason=reason)
        told.update(wrong)
        await trio.sleep(CARRY_S)


async def _mend_past(parts: Parts, stores: Stores) -> None:
    """At once, and every hour as long as a version before this one may run beside it."""
    while True:
        try:
            rows = await stores.encrypt_past()
            names = await stores.fill_looks(look)
        except StoreError as error:
            parts.log.warning("mending_postponed", reason=str(error))
        else:
            if rows or names:
                parts.log.info("mended_what_was_there_before", encrypted=rows, looks_of_names=names)
        await trio.sleep(MAINTENANCE_S)
