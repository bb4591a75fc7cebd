"""Postgres and Valkey for a peer: ours, embedded, with the very settings that our own server gives them.

    python -m tests.bench.peers.stores FOLDER

Says one line of JSON, `postgres` (the folder of the socket) and `redis` (the socket), and ends them when its input
ends.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import trio

from scoreboard.stores.embedded import embedded_postgres, embedded_valkey


async def _serve(folder: Path) -> None:
    async with embedded_postgres(folder) as postgres, embedded_valkey(folder) as redis:
        sockets = {"postgres": parse_qs(urlsplit(postgres).query)["host"][0], "redis": unquote(urlsplit(redis).path)}
        sys.stdout.write(json.dumps(sockets) + "\n")
        sys.stdout.flush()
        await trio.to_thread.run_sync(sys.stdin.buffer.read, abandon_on_cancel=True)


if __name__ == "__main__":
    trio.run(_serve, Path(sys.argv[1]))
