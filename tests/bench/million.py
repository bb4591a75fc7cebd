"""A data directory with very many players, filled by SQL: through the server a million would take an hour."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
import psutil
import trio

from scoreboard.stores.embedded_postgres import DATABASE, embedded_postgres

FILL_WITHIN_S = 200.0
# Ids in no order, scores below their number with many the same, times over eleven days, a hash of the usual length.
FILL = """
INSERT INTO users (user_id, username, username_key, email, email_key, password_hash, look, score, version, reached_at)
SELECT md5(n::text)::uuid, 'player' || n, 'player' || n, '', 'hmac:' || n, repeat('x', 60), 'look' || n,
       (abs(hashint4(n)::bigint) * 7919) % 500000, 1 + n % 50, now() - (n::bigint * 7919 % 1000000) * interval '1 s'
FROM generate_series(1, $1::int) AS n
"""
SAMPLE = """
SELECT user_id::text, username, score, rank FROM (
    SELECT user_id, username, score, row_number() OVER (ORDER BY score DESC, reached_at, user_id) AS rank
    FROM users WHERE NOT is_banned) AS ranked
WHERE rank % $1 = 1
"""
# Ranks stay as they are.
RAISE = "UPDATE users SET score = score + 1, version = version + 1"


def fill(data_dir: Path, players: int) -> None:
    """Put the players into the database of a server that is not running now, and has run."""
    _with_postgres(data_dir, [(FILL, (players,)), ("VACUUM ANALYZE users", ()), ("CHECKPOINT", ())])


def raise_everybody(server: int) -> None:
    """A point for each, and no checkpoint afterwards: all of it is to be recovered from the log after a crash."""
    arguments = next(line for each in postgres_processes(server) if "-k" in (line := each.cmdline()))
    url = f"postgresql://postgres@/{DATABASE}?host={quote(arguments[arguments.index('-k') + 1])}"
    asyncio.run(_work(url, [("CHECKPOINT", ()), (RAISE, ())]))


def postgres_processes(server: int) -> list[psutil.Process]:
    """Of the server with this process."""
    return [each for each in psutil.Process(server).children(recursive=True) if "postgres" in each.name()]


def peak_bytes(server: int) -> int:
    """The most that the process has had in memory; 0 where the system does not say."""
    status = Path(f"/proc/{server}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)


def sample(data_dir: Path, each: int) -> list[tuple[str, str, int, int]]:
    """Id, name, score and rank of every so many-th player, as SQL has them."""
    (rows,) = _with_postgres(data_dir, [(SAMPLE, (each,))])
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def _with_postgres(data_dir: Path, statements: list[tuple[str, tuple[object, ...]]]) -> list[list[Any]]:
    async def serve_and_work() -> list[list[Any]]:
        async with embedded_postgres(data_dir) as url:
            return await trio.to_thread.run_sync(asyncio.run, _work(url, statements))

    return trio.run(serve_and_work)


async def _work(url: str, statements: list[tuple[str, tuple[object, ...]]]) -> list[list[Any]]:
    connection = await asyncpg.connect(url, command_timeout=FILL_WITHIN_S)
    try:
        return [await connection.fetch(text, *arguments) for text, arguments in statements]
    finally:
        await connection.close()
