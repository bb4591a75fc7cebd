"""For an operator's verbs: the stores of a server, whether it runs or not."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
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
from scoreboard.server.verbs import explained, settings_of
from scoreboard.settings import Settings
from scoreboard.stores.embedded import EmbeddedError, embedded_postgres
from scoreboard.stores.embedded_errors import DataDirectoryBusy
from scoreboard.stores.embedded_postgres import running_url
from scoreboard.stores.migrate import MigrationError
from scoreboard.stores.opening import Stores, open_stores

R = TypeVar("R")

#: Nothing of this touches Redis, which is connected to when it is first used.
NO_REDIS = "redis://127.0.0.1:1"

postgres_option = click.option("--postgres", metavar="URL", help="The PostgreSQL that it uses, if not its own.")


def with_stores(data: str | None, postgres: str | None, work: Callable[[Stores], Awaitable[R]]) -> R:
    """Do it; if it cannot be done, say why in a sentence, and end with status 1 (2 for a wrong setting)."""
    settings = settings_of(data, {"stores.postgres_url": postgres})
    with explained(StoreError, EmbeddedError, MigrationError, SecurityError, OSError):
        return trio.run(partial(_opened, settings, work))


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


async def _opened(settings: Settings, work: Callable[[Stores], Awaitable[R]]) -> R:
    """In the server's database; its own is started for as long as this takes unless it runs already."""
    async with AsyncExitStack() as scopes:
        url, data_dir = settings.stores.postgres_url, Path(settings.data_dir)
        if url is None:
            try:
                url = await scopes.enter_async_context(embedded_postgres(data_dir))
            except DataDirectoryBusy:
                url = running_url(data_dir)
        vault = PersonalVault(MastersOnDisk(data_dir, key_times(settings)))
        return await work(await scopes.enter_async_context(open_stores(url, NO_REDIS, vault, postgres_connections=1)))
