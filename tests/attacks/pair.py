"""Two real servers over the same stores, and crowds that come to them at once."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from actors.user.token import ActionKeys
from scoreboard.stores.embedded_valkey import binary as valkey_binary
from tests.attacks.state import fingerprint, sql
from tests.served import ServedScoreboard


@dataclass
class Pair:
    """Two servers that share stores and keys, and what only a test may do with them."""

    one: ServedScoreboard
    other: ServedScoreboard
    postgres_url: str
    redis_url: str

    def state(self) -> dict[str, str]:
        """All that is in the database, but for the audit of refusals, which is meant to grow."""
        return fingerprint(self.postgres_url)

    def scores(self) -> dict[str, int]:
        """Everybody's, as they are on disk."""
        rows = sql(self.postgres_url, "SELECT username, score FROM users").split()
        return {name: int(score) for name, _, score in (row.partition("|") for row in rows)}

    def empty_redis(self) -> None:
        """All of it is lost."""
        path = self.redis_url.removeprefix("unix://")
        command = [str(valkey_binary().with_name("valkey-cli")), "-s", path, "FLUSHALL"]
        subprocess.run(command, check=True, capture_output=True, timeout=30)

    def keys(self) -> ActionKeys:
        """What the servers sign action tokens with: whoever has it can make any."""
        return ActionKeys(bytes.fromhex((self.one.data / "keys" / "action-1.key").read_text()))


def at_once(*attempts: Callable[[], Any]) -> list[Any]:
    """What came of them, begun at the same moment in a thread each."""
    gate, came = threading.Barrier(len(attempts)), list[Any]()

    def one(attempt: Callable[[], Any]) -> None:
        gate.wait(30)
        came.append(attempt())

    threads = [threading.Thread(target=one, args=(attempt,)) for attempt in attempts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return came
