"""A sorted set in Valkey, asked in pipelines. It orders ties by id alone, and holds neither names nor versions."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import redis

from actors.ports import ScoreFact, UserId
from scoreboard.stores.embedded_valkey import binary
from tests.bench.subject import processor_s

BOARD = "board"
START_WITHIN_S = 10.0


class ValkeyBoard:
    """A server of its own on a socket, which keeps nothing on disk."""

    def __init__(self) -> None:
        self._home = tempfile.TemporaryDirectory(prefix="scoreboard-bench-")
        socket = Path(self._home.name) / "socket"
        options = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", self._home.name]
        self._process = subprocess.Popen([binary(), *options], stdout=subprocess.DEVNULL)
        self._redis = redis.Redis(unix_socket_path=str(socket))
        deadline = time.monotonic() + START_WITHIN_S
        while not socket.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        self._empty = 0
        self._empty = self.memory()

    def close(self) -> None:
        """End the server."""
        self._redis.close()
        self._process.kill()
        self._process.wait()
        self._home.cleanup()

    def load(self, facts: Sequence[ScoreFact]) -> None:
        """See `Candidate`."""
        self._redis.zadd(BOARD, {fact.user_id: fact.score for fact in facts})

    def arrange(self) -> None:
        """See `Candidate`."""

    def apply(self, facts: Sequence[ScoreFact]) -> list[object]:
        """See `Candidate`."""
        with self._redis.pipeline(transaction=False) as pipe:
            for fact in facts:
                pipe.zrevrank(BOARD, fact.user_id)
                pipe.zadd(BOARD, {fact.user_id: fact.score})
                pipe.zrevrank(BOARD, fact.user_id)
            answers = pipe.execute()
        return [(before + 1, after + 1) for before, after in zip(answers[::3], answers[2::3], strict=True)]

    def rank(self, user_id: UserId) -> int | None:
        """See `Candidate`."""
        rank = self._redis.zrevrank(BOARD, user_id)
        assert isinstance(rank, int)
        return rank + 1

    def page(self, offset: int, limit: int) -> Sequence[object]:
        """See `Candidate`."""
        lines = self._redis.zrange(BOARD, offset, offset + limit - 1, desc=True, withscores=True)
        assert isinstance(lines, list)
        return lines

    def processor_s(self) -> float:
        """Of the server."""
        return processor_s(self._process.pid)

    def memory(self) -> int:
        """Of the server, without what it takes when it is empty."""
        info = self._redis.info("memory")
        assert isinstance(info, dict)
        return int(info["used_memory_rss"]) - self._empty
