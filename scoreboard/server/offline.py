"""For an operator's verbs: the stores of a server, whether it runs or not."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import click
import trio

from actors.ports import Act, AuditEvent, EventId, EventKind, StoreError
from scoreboard.security.errors import SecurityError
from scoreboard.security.personal import PersonalVault
from scoreboard.server.acts import operator, place, source
from scoreboard.server.keychain import MastersOnDisk, key_times
from scoreboard.server.verbs import explained, require_set_up, settings_of
from scoreboard.settings import Settings
from scoreboard.stores.embedded import EmbeddedError, embedded_postgres
from scoreboard.stores.embedded_errors import DataDirectoryBusy
from scoreboard.stores.embedded_postgres import running_url
from scoreboard.stores.embedded_valkey import running_url as running_redis_url
from scoreboard.stores.migrate import MigrationError
from scoreboard.stores.opening import Stores, open_stores

R = TypeVar("R")

#: Where nothing touches Redis, which is connected to when it is first used.
NO_REDIS = "redis://127.0.0.1:1"
RINGS_WITHIN_S = 2.0

postgres_option = click.option("--postgres", metavar="URL", help="The PostgreSQL that it uses, if not its own.")
redis_option = click.option("--redis", metavar="URL", help="The Redis that it uses, if not its own.")


def with_stores(
    data: str | None, postgres: str | None, work: Callable[[Stores], Awaitable[R]], *, to_read: bool = False
) -> R:
    """Do it; if it cannot be done, say why in a sentence, and end with status 1 (2 for a wrong setting).

    What wants `to_read` only is done at a replica of Postgres, too.
    """
    settings = _settings_of(data, {"stores.postgres_url": postgres})
    return _run(partial(_opened, settings, NO_REDIS, work, to_read=to_read))


def announced(data: str | None, postgres: str | None, redis: str | None, work: Callable[[Stores], Awaitable[R]]) -> R:
    """The same for what all workers must hear of: at once through Redis, or by looking after a while as without it."""
    settings = _settings_of(data, {"stores.postgres_url": postgres, "stores.redis_url": redis})
    url = settings.stores.redis_url or running_redis_url(Path(settings.data_dir))

    async def work_and_ring(stores: Stores) -> R:
        done = await work(stores)
        if url is not None:
            await _ring(stores, settings.sessions.look_s)
        return done

    return _run(partial(_opened, settings, url or NO_REDIS, work_and_ring))


def _settings_of(data: str | None, options: Mapping[str, object]) -> Settings:
    """Of a server that is set up there; the database of another directory may be named without it."""
    settings = settings_of(data, options)
    if settings.stores.postgres_url is None or data is not None:
        require_set_up(settings)
    return settings


async def _ring(stores: Stores, look_s: float) -> None:
    rung = False
    with trio.move_on_after(RINGS_WITHIN_S), suppress(StoreError):
        await stores.bell.ring()
        rung = True
    if not rung:
        click.echo(f"scoreboard: Redis does not answer, so running workers hear of it within {look_s:g} s", err=True)


def _run(work: Callable[[], Awaitable[R]]) -> R:
    with explained(StoreError, EmbeddedError, MigrationError, SecurityError, OSError):
        return trio.run(work)


def act(why: str | None) -> Act:
    """What an operator does here, for what is changed together with its record."""
    event_id, now_us = EventId(str(uuid4())), time.time_ns() // 1000
    return Act(event_id, now_us, EventKind.ACT, operator(), why or "", source(), site=place())


def record_of(what: str, why: str | None, **details: Any) -> AuditEvent:
    """The same as its record, of what concerns no player."""
    named = act(why)
    return AuditEvent(
        *(named.event_id, named.at_us, named.at_us, named.kind, what, named.done_by),
        site=named.site,
        source=named.source,
        why=why,
        details=details,
    )


async def _opened(
    settings: Settings, redis: str, work: Callable[[Stores], Awaitable[R]], *, to_read: bool = False
) -> R:
    """In the server's database; its own is started for as long as this takes unless it runs already."""
    async with AsyncExitStack() as scopes:
        url, data_dir = settings.stores.postgres_url, Path(settings.data_dir)
        if url is None:
            try:
                url = await scopes.enter_async_context(embedded_postgres(data_dir))
            except DataDirectoryBusy:
                url = running_url(data_dir)
        vault = PersonalVault(MastersOnDisk(data_dir, key_times(settings)))
        prefix = settings.stores.redis_prefix
        stores = await scopes.enter_async_context(
            open_stores(url, redis, vault, prefix=prefix, postgres_connections=1, redis_connections=1, to_read=to_read)
        )
        return await work(stores)
