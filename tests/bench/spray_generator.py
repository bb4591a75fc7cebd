"""A load generator: passwords tried on many accounts from many addresses at once, and players who sign in among it.

python -m tests.bench.spray_generator       (spoken to by `tests.bench.generator`)
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from tests.bench.generator import Command, obey
from tests.bench.statistics import spread_ms

PATH = "/api/auth/login"
REFUSED = 503
#: So long somebody who was sent away waits before the next try: a program that guesses has no more patience.
PAUSE_S = 0.05
#: Where one honest player has signed in before; another comes from somewhere else each time.
HOME = "192.0.2.1"


@dataclass
class Honest:
    """Somebody who knows the password of the account of that number, at an address, or anywhere."""

    number: int
    address: str | None
    told: Counter[int] = field(default_factory=Counter)
    took: list[int] = field(default_factory=list)

    def said(self) -> Command:
        """What became of it."""
        return {"signed_in": self.told[200], "sent_away": self.told[REFUSED], "took": spread_ms(self.took)}


class Spray:
    """Answers `{"seconds", "clients"}`: so many try for so long, each as soon as it was answered.

    Every other account exists. One honest player signed in from the same address before; another comes from anywhere.
    The server must believe `X-Forwarded-For` of this machine.
    """

    def __init__(self, config: Command) -> None:
        self._port: int = config["port"]
        self._accounts: int = config["accounts"]
        self._rng = random.Random(7)

    def __call__(self, command: Command) -> Command:
        self._sign_in(time.monotonic(), Honest(0, HOME))
        ends, told = time.monotonic() + command["seconds"], Counter[int]()
        at_home, elsewhere = Honest(0, HOME), Honest(2, None)
        threads = [threading.Thread(target=self._guess, args=(ends, told)) for _ in range(command["clients"])]
        threads += [threading.Thread(target=self._sign_in, args=(ends, honest)) for honest in (at_home, elsewhere)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return {
            "told": {str(status): count for status, count in told.items()},
            "at_home": at_home.said(),
            "elsewhere": elsewhere.said(),
        }

    def _guess(self, ends: float, told: Counter[int]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60.0)
        while time.monotonic() < ends:
            name = f"bench{self._rng.randrange(2 * self._accounts):05d}"
            status = _login(connection, name, "Summer-2026-guess", self._anywhere())
            told[status] += 1
            if status == REFUSED:
                time.sleep(PAUSE_S)
        connection.close()

    def _sign_in(self, ends: float, honest: Honest) -> None:
        """Again and again, once at least."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60.0)
        name = f"bench{honest.number:05d}"
        while not honest.told or time.monotonic() < ends:
            began = time.monotonic_ns()
            status = _login(connection, name, f"{name}-Passw0rd!", honest.address or self._anywhere())
            honest.told[status] += 1
            if status == REFUSED:
                time.sleep(PAUSE_S)
            else:
                honest.took.append(time.monotonic_ns() - began)
        connection.close()

    def _anywhere(self) -> str:
        return f"198.{self._rng.randrange(18, 20)}.{self._rng.randrange(256)}.{self._rng.randrange(256)}"


def _login(connection: http.client.HTTPConnection, name: str, password: str, address: str) -> int:
    body = json.dumps({"username": name, "password": password})
    headers = {"Content-Type": "application/json", "X-Forwarded-For": address}
    connection.request("POST", PATH, body, headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status


if __name__ == "__main__":
    obey(Spray)
