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
    """What every batch is made of: the beginnings of its rows, one a player, and how many rows it has.

    `repeats` is the share of batches whose last row is one that has counted before.
    """

    starts: list[bytes]
    rows: int
    rng: random.Random
    repeats: float

    def fresh(self, name: str, first: int) -> list[bytes]:
        """Points of any players; the action ids are `name` and a number, from `first` on."""
        picked, of = self.rng.choices(self.starts, k=self.rows), name.encode()
        return [b'%b%b-%d"}' % (start, of, first + number) for number, start in enumerate(picked)]

    def repeating(self) -> bool:
        """Whether the next one has a known row."""
        return self.rng.random() < self.repeats


class Sender:
    """One batch at a time: a cycle is a batch and its answer.

    Every row must count, once, with its ranks; but one that has counted before must be told to have.
    """

    def __init__(self, port: int, token: str, name: str, batch: Batch) -> None:
        self.playing = 0
        self.took_ns: list[int] = []
        self._connection = KeptConnection(port)
        self.socket = self._connection.socket
        self._token, self._name, self._batch = token, name, batch
        self._sent, self._began_ns = 0, 0
        self.counted = 0
        self._known = b""
        self._repeating = False

    def begin(self) -> None:
        """Send a batch."""
        self.playing = 1
        rows = self._batch.fresh(self._name, self._sent * self._batch.rows)
        self._sent += 1
        self._repeating = bool(self._known) and self._batch.repeating()
        if self._repeating:
            rows[-1] = self._known
        self._known = rows[0]
        body = b'{"scores":[%b]}' % b",".join(rows)
        self._began_ns = time.monotonic_ns()
        self.socket.sendall(request("POST", PATH, self._token, body))

    def step(self, *, go_on: bool) -> int:
        """Read what has come; 1 when the answer is whole, and the next batch goes out if `go_on`. Raises Wrong."""
        body = self._connection.read()
        if body is None:
            return 0
        self.took_ns.append(time.monotonic_ns() - self._began_ns)
        good = body.count(b'"success":true') - 1
        known = body.count(b'"newRank":null'), body.count(b'"repeated":true')
        if good != self._batch.rows or known != (self._repeating, self._repeating):
            raise Wrong(f"{good} of {self._batch.rows}, without ranks and repeated {known}: {body[:300]!r}")
        self.counted += good - self._repeating
        self.playing = 0
        if go_on:
            self.begin()
        return 1


class Batches:
    """Answers `{"seconds", "name", "repeats"}`: sends so long; `name` begins every action id.

    Of the batches a share, `repeats`, has a row that counted before; `rows` are those that count.
    """

    def __init__(self, config: Command) -> None:
        self._port: int = config["port"]
        self._tokens: list[str] = config["tokens"]
        self._senders: int = config["senders"]
        self._rows: int = config["rows"]
        self._rng = random.Random(7)
        self._starts = [b'{"userId":"%b","actionId":"' % player_id(n).encode() for n in range(config["players"])]

    def __call__(self, command: Command) -> Command:
        batch = Batch(self._starts, self._rows, self._rng, command["repeats"])
        senders = [self._sender(f"{command['name']}-{number}", number, batch) for number in range(self._senders)]
        in_time = play(senders, command["seconds"])
        return {
            "rows": sum(sender.counted for sender in senders),
            "per_s": self._rows * in_time / command["seconds"],
            "batch_ms": spread_ms(each for sender in senders for each in sender.took_ns),
        }

    def _sender(self, name: str, number: int, batch: Batch) -> Sender:
        return Sender(self._port, self._tokens[number % len(self._tokens)], name, batch)


if __name__ == "__main__":
    obey(Batches)
