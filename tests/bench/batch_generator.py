"""A load generator: senders of a game's services, each keeping one batch of scores under way on a kept connection.

python -m tests.bench.batch_generator      (spoken to by `tests.bench.generator`)
"""

from __future__ import annotations

import random
import select
import socket
import time
from hashlib import md5
from typing import Any

from tests.bench.generator import Command, obey
from tests.bench.player import PATIENCE_S, Wrong
from tests.bench.statistics import curve, percentile
from tests.bench.wire import answer, request

PATH = "/api/v1/scores/batch"


def player_id(number: int) -> str:
    """The id of a player that `tests.bench.filled` made: a UUID of 32 hex digits, with hyphens."""
    digits = md5(b"player %d" % number, usedforsecurity=False).hexdigest()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


class Sender:
    """One connection. Every row must count, once, with its ranks."""

    def __init__(self, port: int, token: str, name: str, rows: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.took_ns: list[int] = []
        self._token, self._name, self._rows = token, name, rows
        self._sent, self._began_ns, self._data = 0, 0, bytearray()

    def begin(self, starts: list[bytes], rng: random.Random) -> None:
        """Send a batch of points of any players."""
        name = self._name.encode()
        first = self._sent * self._rows
        self._sent += 1
        picked = rng.choices(starts, k=self._rows)
        rows = [b'%b%b-%d"}' % (start, name, first + number) for number, start in enumerate(picked)]
        body = b'{"scores":[%b]}' % b",".join(rows)
        self._began_ns = time.monotonic_ns()
        self.socket.sendall(request("POST", PATH, self._token, body))

    def step(self) -> bool:
        """Read what has come; True when the answer is whole."""
        more = self.socket.recv(1 << 18)
        if not more:
            raise Wrong("the server closed the connection")
        self._data += more
        found = answer(bytes(self._data)) if self._data.endswith(b"}") else None
        if found is None:
            return False
        self.took_ns.append(time.monotonic_ns() - self._began_ns)
        self._data.clear()
        status, body, _ = found
        counted = body.count(b'"success":true') - 1
        if status != 200 or counted != self._rows or b'"newRank":null' in body or b'"repeated":true' in body:
            raise Wrong(f"status {status}, {counted} of {self._rows}: {body[:300]!r}")
        return True


class Batches:
    """Answers `{"seconds", "name"}`: sends so long; `name` begins every action id."""

    def __init__(self, config: Command) -> None:
        self._config = config
        self._starts = [b'{"userId":"%b","actionId":"' % player_id(n).encode() for n in range(config["players"])]
        self._rng = random.Random(7)

    def __call__(self, command: Command) -> Command:
        config: dict[str, Any] = self._config
        senders = [
            Sender(
                config["port"], config["tokens"][number % len(config["tokens"])], f"{command['name']}-{number}", rows
            )
            for number, rows in enumerate([config["rows"]] * config["senders"])
        ]
        try:
            in_time = self._send(senders, command["seconds"])
        finally:
            for sender in senders:
                sender.socket.close()
        ordered = sorted(each / 1e6 for sender in senders for each in sender.took_ns)
        return {
            "rows": config["rows"] * len(ordered),
            "per_s": config["rows"] * in_time / command["seconds"],
            "batch_ms": {"median": percentile(ordered, 50), "p99": percentile(ordered, 99), "curve": curve(ordered)},
        }

    def _send(self, senders: list[Sender], seconds: float) -> int:
        """Until the time is over; how many batches were answered in time. The rest are brought to their end."""
        poll = select.epoll()
        by_number = {sender.socket.fileno(): sender for sender in senders}
        ends = time.monotonic() + seconds
        for number, sender in by_number.items():
            poll.register(number, select.EPOLLIN)
            sender.begin(self._starts, self._rng)
        in_time, sending = 0, len(senders)
        while sending:
            ready = poll.poll(PATIENCE_S)
            if not ready:
                raise Wrong(f"{sending} senders wait for an answer in vain")
            for number, _ in ready:
                if not by_number[number].step():
                    continue
                if time.monotonic() < ends:
                    in_time += 1
                    by_number[number].begin(self._starts, self._rng)
                else:
                    poll.unregister(number)
                    sending -= 1
        poll.close()
        return in_time


if __name__ == "__main__":
    obey(Batches)
