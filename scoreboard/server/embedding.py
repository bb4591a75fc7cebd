"""The stores of our own, for those who give no URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

from msgspec.structs import replace

from scoreboard.observe.logs import Logger
from scoreboard.settings import Settings
from scoreboard.stores.embedded import embedded_postgres, embedded_valkey

#: Connections to an embedded Postgres beside those of the workers' pools: an operator's verbs, and psql.
OTHERS = 16
LEAST_CONNECTIONS = 80


async def embed_stores(scopes: AsyncExitStack, settings: Settings, log: Logger) -> Settings:
    """The settings with a URL for each store; what has none is started, and runs as long as the scopes.

    Raises:
        EmbeddedError: it did not start, or another process of ours serves the directory.
        OSError: the directory cannot be written; the sentence names it.
    """
    wanted, data_dir = settings.stores, Path(settings.data_dir)
    postgres_url, redis_url = wanted.postgres_url, wanted.redis_url
    if postgres_url is None:
        log.info("starting_postgres", data_dir=str(data_dir))
        most = {"max_connections": str(connections_of(settings))}
        with _written(data_dir):
            postgres_url = await scopes.enter_async_context(embedded_postgres(data_dir, settings=most))
    if redis_url is None:
        log.info("starting_valkey", data_dir=str(data_dir))
        with _written(data_dir):
            redis_url = await scopes.enter_async_context(embedded_valkey(data_dir))
    return replace(settings, stores=replace(wanted, postgres_url=postgres_url, redis_url=redis_url))


@contextmanager
def _written(data_dir: Path) -> Iterator[None]:
    """Around what writes there: the system does not say where its disk is full."""
    try:
        yield
    except OSError as error:
        raise OSError(f"the data directory {data_dir} cannot be written: {error.strerror or error}") from error


def connections_of(settings: Settings) -> int:
    """How many connections to Postgres all workers and a successor may want at once, and some for others."""
    return max(LEAST_CONNECTIONS, (settings.workers + 1) * settings.stores.postgres_connections + OTHERS)
