"""A load generator: senders of a game's services, each keeping one batch of scores under way on a kept connection.

python -m tests.bench.batch_generator      (spoken to by `tests.bench.generator`)
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from hashlib import md5

from tests.bench.closed_loop import play
from tests.bench.generator import Command, obey
from tests.bench.kept import KeptConnection, Wrong
from tests.bench.statistics import spread_ms
from tests.bench.wire import request

PATH = "/api/v1/scores/batch"


def player_id(number: int) -> str:
    """The id of a player that `tests.bench.filled` made: a UUID of 32 hex digits, with hyphens."""
    digits = md5(b"player %d" % number, usedforsecurity=False).hexdigest()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


@dataclass(frozen=True, slots=True)
class Batch:
    """What every batch is made of: the beginnings of its rows, one a player, and how many rows it has."""

    starts: list[bytes]
    rows: int
    rng: random.Random

    def body(self, name: str, first: int) -> bytes:
        """Points of any players; the action ids are `name` and a number, from `first` on."""
        picked, of = self.rng.choices(self.starts, k=self.rows), name.encode()
        rows = [b'%b%b-%d"}' % (start, of, first + number) for number, start in enumerate(picked)]
        return b'{"scores":[%b]}' % b",".join(rows)


class Sender:
    """One batch at a time: a cycle is a batch and its answer. Every row must count, once, with its ranks."""

    def __init__(self, port: int, token: str, name: str, batch: Batch) -> None:
        self.playing = 0
        self.took_ns: list[int] = []
        self._connection = KeptConnection(port)
        self.socket = self._connection.socket
        self._token, self._name, self._batch = token, name, batch
        self._sent, self._began_ns = 0, 0

    def begin(self) -> None:
        """Send a batch."""
        self.playing = 1
        body = self._batch.body(self._name, self._sent * self._batch.rows)
        self._sent += 1
        self._began_ns = time.monotonic_ns()
        self.socket.sendall(request("POST", PATH, self._token, body))

    def step(self, *, go_on: bool) -> int:
        """Read what has come; 1 when the answer is whole, and the next batch goes out if `go_on`. Raises Wrong."""
        body = self._connection.read()
        if body is None:
            return 0
        self.took_ns.append(time.monotonic_ns() - self._began_ns)
        counted = body.count(b'"success":true') - 1
        if counted != self._batch.rows or b'"newRank":null' in body or b'"repeated":true' in body:
            raise Wrong(f"{counted} of {self._batch.rows}: {body[:300]!r}")
        self.playing = 0
        if go_on:
            self.begin()
        return 1


class Batches:
    """Answers `{"seconds", "name"}`: sends so long; `name` begins every action id."""

    def __init__(self, config: Command) -> None:
        self._port: int = config["port"]
        self._tokens: list[str] = config["tokens"]
        self._senders: int = config["senders"]
        starts = [b'{"userId":"%b","actionId":"' % player_id(n).encode() for n in range(config["players"])]
        self._batch = Batch(starts, config["rows"], random.Random(7))

    def __call__(self, command: Command) -> Command:
        senders = [self._sender(command["name"], number) for number in range(self._senders)]
        in_time = play(senders, command["seconds"])
        return {
            "rows": self._batch.rows * sum(len(sender.took_ns) for sender in senders),
            "per_s": self._batch.rows * in_time / command["seconds"],
            "batch_ms": spread_ms(each for sender in senders for each in sender.took_ns),
        }

    def _sender(self, name: str, number: int) -> Sender:
        token = self._tokens[number % len(self._tokens)]
        return Sender(self._port, token, f"{name}-{number}", self._batch)


if __name__ == "__main__":
    obey(Batches)
