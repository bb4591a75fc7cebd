"""Hears of commits that were told too early: somebody has ended their wait for the synchronous replica."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import asyncpg

from actors.ports import StoreError

#: The function of Postgres that waits for it. What it says is a warning in the words of whatever language is set there.
WAITS = "SyncRepWaitForLSN"


@contextmanager
def told_in_time(connection: asyncpg.Connection, on_loss: type[StoreError]) -> Iterator[None]:
    """For a unit of work. For asyncio.

    Postgres answers a commit whose wait is ended (`pg_cancel_backend`) as any other one, after a warning: it stands
    there, where all see it, and is lost when the replica is promoted. Raises `on_loss` then, as where the connection
    was lost before the answer.
    """
    ended: list[str] = []

    def hear(_: object, message: asyncpg.PostgresLogMessage) -> None:
        if getattr(message, "server_source_function", None) == WAITS:
            ended.append(str(message))

    connection.add_log_listener(hear)
    try:
        yield
    finally:
        with suppress(asyncpg.InterfaceError):  # its session has ended
            connection.remove_log_listener(hear)
    if ended:
        raise on_loss(f"Postgres waits for the synchronous replica no more: {ended[-1]}")
