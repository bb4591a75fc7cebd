"""A data directory with many players in it, made before the server starts: to register them would take an hour."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import trio

from scoreboard.stores.embedded_postgres import binary, embedded_postgres
from tests.bench.scoreboard_subject import TOP, ServerFailed
from tests.vault import open_stores

PLAYERS = """
INSERT INTO users (user_id, username, username_key, email, email_key, password_hash, look)
SELECT md5('player ' || n)::uuid, 'bench' || n, 'bench' || n, '', 'hmac:' || n, '-', 'look' || n
FROM generate_series(0, {count} - 1) AS n
"""


def fill(data_dir: Path, players: int) -> None:
    """Make a database with so many players without a point."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    trio.run(_fill, data_dir, players)


async def _fill(data_dir: Path, players: int) -> None:
    async with embedded_postgres(data_dir) as postgres:
        async with open_stores(postgres, "redis://127.0.0.1:1") as stores:
            for statement in (PLAYERS.format(count=players), "VACUUM ANALYZE users"):
                await stores.database.run(lambda connection, sql=statement: connection.execute(sql, timeout=60))  # type: ignore[misc]


def service_token(data_dir: Path, name: str) -> str:
    """What an operator would get for a service."""
    command = [sys.executable, "-m", "scoreboard", "service", "add", name, "--data", str(data_dir)]
    return subprocess.run(command, cwd=TOP, check=True, capture_output=True, text=True, timeout=30).stdout.strip()


def psql(data_dir: Path, sql: str) -> str:
    """What the Postgres of a running server answers."""
    command = [str(binary("psql")), *_where(data_dir), "-qAtX", "-v", "ON_ERROR_STOP=1", "-c", sql]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.strip()


def pgbench(data_dir: Path, script: str, seconds: float, clients: int, **variables: int) -> tuple[float, int]:
    """Transactions a second of a script in that Postgres, and how many there were."""
    given = [word for name, value in variables.items() for word in ("-D", f"{name}={value}")]
    command = [str(binary("pgbench")), *_where(data_dir), "-n", "-M", "prepared", "-c", str(clients), "-j", "1"]
    command += ["-T", str(max(round(seconds), 1)), *given, "-f", "-"]
    done = subprocess.run(command, input=script, check=True, capture_output=True, text=True, timeout=seconds + 60)
    per_s = re.search(r"^tps = ([0-9.]+)", done.stdout, re.MULTILINE)
    count = re.search(r"actually processed: (\d+)", done.stdout)
    if per_s is None or count is None:
        raise ServerFailed(f"pgbench said:\n{done.stdout}")
    return float(per_s[1]), int(count[1])


def _where(data_dir: Path) -> list[str]:
    """The socket stands in the file that every running Postgres keeps."""
    folder = (data_dir / "postgres" / "cluster" / "postmaster.pid").read_text().splitlines()[4]
    return ["-h", folder, "-U", "postgres", "scoreboard"]
