"""Keeps an embedded server running for as long as a block runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from scoreboard.stores.embedded_process import Server


@asynccontextmanager
async def keep_running(server: Server) -> AsyncIterator[None]:
    """Start the server, watch it while the block runs, stop it after.

    An error of the block leaves as it is, not wrapped into a group; if the server cannot be kept alive, the block is
    cancelled and a group with ServerFailed leaves.
    """
    failure: Exception | None = None
    try:
        await server.start()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(server.watch)
            try:
                yield
            except Exception as error:  # noqa: BLE001 - raised again below, outside of the nursery
                failure = error
            nursery.cancel_scope.cancel()
    finally:
        await server.stop()
    if failure is not None:
        raise failure
