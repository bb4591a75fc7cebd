"""A game that scores in every way that there is, without a pause, while a test does something to its server."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.integration.socket_game import SocketGame
from tests.integration.test_batches import operator as make_service
from tests.integration.test_batches import results, rows, send
from tests.integration.test_document_b import Gamer
from tests.served import Player, ServedScoreboard, wait_for

#: The ways, and how many points each gives.
WORTH = {"by_token": 1, "by_proof": 100, "by_socket": 1, "by_batch": 1}


class Ways:
    """Every way to score there is, gone again and again, each in a thread. What is not as it should be is noted.

    Args:
        server: The server.
        mark: Ends the names of these players, where others go the same ways.
    """

    def __init__(self, server: ServedScoreboard, mark: str = "") -> None:
        self.player, live = Player(server, f"Stayer{mark}"), Player(server, f"Sailor{mark}")
        gamer, service = Gamer(server, f"Questor{mark}"), make_service(server, "add", f"arena{mark}")
        socket = SocketGame(server, live.access_token)

        def by_token() -> object:
            return self.player.increment(self.player.token()).raise_for_status()

        def by_proof() -> object:
            action = str(uuid.uuid4())
            return gamer.update("WIN_GAME", action, gamer.complete("WIN_GAME", action)["data"])["data"]["newScore"]

        def by_socket() -> object:
            return socket.increment(socket.token())["data"]["newScore"]

        def by_batch() -> object:
            return results(send(server, service, rows(self.player, str(uuid.uuid4()))))[0]["newScore"]

        self.counted, self.wrong = Counter[str](), list[str]()
        self._stop = threading.Event()
        ways = (by_token, by_proof, by_socket, by_batch)
        self._threads = [threading.Thread(target=self._go, args=(way,), daemon=True) for way in ways]

    def _go(self, way: Callable[[], object]) -> None:
        while not self._stop.is_set():
            try:
                way()
            except Exception as error:  # noqa: BLE001 - whatever it is, the test tells it
                self.wrong.append(f"{way.__name__}: {error!r}")
                return
            self.counted[way.__name__] += 1

    @contextmanager
    def gone(self) -> Iterator[None]:
        """For the time of a block."""
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join(30)

    def further(self, times: int = 3) -> None:
        """Wait until each was gone so often, or something went wrong."""
        before = Counter(self.counted)
        wait_for(lambda: bool(self.wrong) or all(self.counted[name] >= before[name] + times for name in WORTH), 60)
        assert [] == self.wrong

    def points(self) -> int:
        """What all that was counted is worth."""
        return sum(self.counted[way] * worth for way, worth in WORTH.items())
