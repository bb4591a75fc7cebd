"""The stores of one process: at once for a server of one, when Postgres is there for one of several workers.

A worker's parent has found the database when the whole server started, so what is missing later is not a right setting.
If the worker ended, it would be started again and again, and be left alone for a minute in the end: also when Postgres
has long been back.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial

import trio

from actors.ports import StoreUnavailable
from scoreboard.observe.logs import Logger
from scoreboard.security.personal import PersonalVault
from scoreboard.server.embedding import embed_stores
from scoreboard.server.parts import Parts
from scoreboard.settings import Stores as Wanted
from scoreboard.stores.opening import Stores, open_stores
from scoreboard.stores.personal import PersonalRules
from scoreboard.stores.personal_errors import KeyDoesNotOpen
from scoreboard.stores.postgres_connections import Bounds

#: From one try to the next; one takes as long as a connection may take to be made.
PAUSE_S = 0.5
TOLD_AGAIN_S = 30.0
MEANING = "this worker serves nobody until Postgres is there, and begins by itself then"

Opening = Callable[[], AbstractAsyncContextManager[Stores]]


async def open_all(scopes: AsyncExitStack, parts: Parts) -> Stores:
    """Open them, also for what is known of persons, until `scopes` end. Raises as `open_stores`."""
    wanted = (await embed_stores(scopes, parts.settings, parts.log)).stores
    opening = partial(_opened, wanted, parts)
    if parts.place is None:
        stores = await scopes.enter_async_context(opening())
    else:
        with parts.place.line.waiting():
            stores = await enter_when_there(scopes, opening, parts.log)
    if stores.migrations:
        parts.log.info("migrated", files=stores.migrations)
    return stores


async def enter_when_there(scopes: AsyncExitStack, opening: Opening, log: Logger) -> Stores:
    """Enter what `opening` gives, as soon as that can be done.

    Raises as it does, but for StoreUnavailable; a KeyDoesNotOpen is none that passes by itself.
    """
    began, tell_at = trio.current_time(), None
    while True:
        try:
            stores = await scopes.enter_async_context(opening())
        except KeyDoesNotOpen:
            raise
        except StoreUnavailable as error:
            if tell_at is None or trio.current_time() >= tell_at:
                tell_at = trio.current_time() + TOLD_AGAIN_S
                log.warning("waiting_for_postgres", reason=str(error), meaning=MEANING)
        else:
            if tell_at is not None:
                log.info("postgres_is_there", waited_s=round(trio.current_time() - began, 1))
            return stores
        await trio.sleep(PAUSE_S)


@asynccontextmanager
async def _opened(wanted: Wanted, parts: Parts) -> AsyncIterator[Stores]:
    persons = parts.settings.personal
    async with open_stores(
        wanted.postgres_url or "",
        wanted.redis_url or "",
        PersonalVault(lambda: parts.keys.now().master_keys),
        prefix=wanted.redis_prefix,
        postgres_connections=wanted.postgres_connections,
        redis_connections=wanted.redis_connections,
        personal=PersonalRules(persons.keys_held, persons.strangers_days),
        bounds=Bounds(connect_s=wanted.connect_within_s, command_s=wanted.command_within_s),
        replica_url=wanted.postgres_replica_url,
        replica_lag_s=wanted.replica_lag_s,
    ) as stores:
        await stores.open_to_persons()
        yield stores
