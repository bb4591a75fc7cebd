"""Both stores behind proxies that run in a thread, for tests of a server that is a process of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from tempfile import TemporaryDirectory

import trio

from tests.stores.proxy import Proxy, proxied

POSTGRES_SOCKET = ".s.PGSQL.5432"


@dataclass(frozen=True, slots=True)
class ProxiedStores:
    """The proxies, the URLs that lead through them, and the one of Postgres that does not."""

    postgres: Proxy
    redis: Proxy
    postgres_url: str
    redis_url: str
    direct_url: str


@contextmanager
def proxied_stores(postgres_url: str, redis_url: str) -> Iterator[ProxiedStores]:
    """Proxies before both stores, on unix sockets as these are, for the time of a block."""
    started: Queue[ProxiedStores] = Queue()
    stop: list[tuple[trio.lowlevel.TrioToken, trio.Event]] = []

    async def run(folder: Path) -> None:
        before, _, target = postgres_url.partition("host=")
        async with (
            proxied(f"{target}/{POSTGRES_SOCKET}", folder / POSTGRES_SOCKET) as postgres,
            proxied(redis_url.removeprefix("unix://"), folder / "redis") as redis,
        ):
            stopped = trio.Event()
            stop.append((trio.lowlevel.current_trio_token(), stopped))
            urls = f"{before}host={folder}", f"unix://{folder}/redis", postgres_url
            started.put(ProxiedStores(postgres, redis, *urls))
            await stopped.wait()

    with TemporaryDirectory() as short:
        thread = threading.Thread(target=trio.run, args=(run, Path(short)), name="proxies", daemon=True)
        thread.start()
        try:
            yield started.get(timeout=30)
        finally:
            for token, stopped in stop:
                token.run_sync_soon(stopped.set)
            thread.join(timeout=15)
