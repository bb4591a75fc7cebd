"""A load generator: passwords tried on many accounts from many addresses at once, and one player who signs in among it.

python -m tests.bench.spray_generator       (spoken to by `tests.bench.generator`)
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections import Counter

from tests.bench.generator import Command, obey
from tests.bench.statistics import spread_ms

PATH = "/api/auth/login"
REFUSED = 503
#: So long somebody who was sent away waits before the next try: a program that guesses has no more patience.
PAUSE_S = 0.05
HONEST = "192.0.2.1"


class Spray:
    """Answers `{"seconds", "clients"}`: so many try for so long, each as soon as it was answered.

    Every other account exists. The server must believe `X-Forwarded-For` of this machine.
    """

    def __init__(self, config: Command) -> None:
        self._port: int = config["port"]
        self._accounts: int = config["accounts"]
        self._rng = random.Random(7)

    def __call__(self, command: Command) -> Command:
        ends, told, honest = time.monotonic() + command["seconds"], Counter[int](), Counter[int]()
        took: list[int] = []
        threads = [threading.Thread(target=self._guess, args=(ends, told)) for _ in range(command["clients"])]
        threads.append(threading.Thread(target=self._sign_in, args=(ends, honest, took)))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return {"told": {str(status): count for status, count in told.items()}, **_of(honest), "took": spread_ms(took)}

    def _guess(self, ends: float, told: Counter[int]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60.0)
        while time.monotonic() < ends:
            name = f"bench{self._rng.randrange(2 * self._accounts):05d}"
            address = f"198.{self._rng.randrange(18, 20)}.{self._rng.randrange(256)}.{self._rng.randrange(256)}"
            status = _login(connection, name, "Summer-2026-guess", address)
            told[status] += 1
            if status == REFUSED:
                time.sleep(PAUSE_S)
        connection.close()

    def _sign_in(self, ends: float, told: Counter[int], took: list[int]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60.0)
        while time.monotonic() < ends:
            began = time.monotonic_ns()
            status = _login(connection, "bench00000", "bench00000-Passw0rd!", HONEST)
            told[status] += 1
            if status == REFUSED:
                time.sleep(PAUSE_S)
            else:
                took.append(time.monotonic_ns() - began)
        connection.close()


def _of(honest: Counter[int]) -> Command:
    return {"signed_in": honest[200], "sent_away": sum(honest.values()) - honest[200]}


def _login(connection: http.client.HTTPConnection, name: str, password: str, address: str) -> int:
    body = json.dumps({"username": name, "password": password})
    headers = {"Content-Type": "application/json", "X-Forwarded-For": address}
    connection.request("POST", PATH, body, headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status


if __name__ == "__main__":
    obey(Spray)
