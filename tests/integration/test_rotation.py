"""Keys take each other's place while everybody scores: nobody who plays by the rules notices."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest

from scoreboard.security.keymaking import rotate
from tests.integration.socket_game import SocketGame
from tests.integration.test_batches import operator as make_service
from tests.integration.test_batches import results, rows, send
from tests.integration.test_document_b import Gamer
from tests.served import Player, ServedScoreboard, served, wait_for

pytestmark = pytest.mark.stores
SETTLE_S = 2


class Ways:
    """Every way to score there is, gone again and again, each in a thread. What is not as it should be is noted."""

    def __init__(self, server: ServedScoreboard) -> None:
        self.player, live, gamer = Player(server, "Stayer"), Player(server, "Sailor"), Gamer(server, "Questor")
        socket, service = SocketGame(server, live.access_token), make_service(server, "add", "arena")

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
        names = ("by_token", "by_proof", "by_socket", "by_batch")
        wait_for(lambda: bool(self.wrong) or all(self.counted[name] >= before[name] + times for name in names), 60)
        assert [] == self.wrong


def key_of_tokens(player: Player) -> str:
    """The id of the key that signs action tokens now."""
    key: str = player.token()["nonce"].partition("-")[0]
    return key


def another_key_signs(player: Player, before: str) -> bool:
    """Whether it is not that one any more."""
    return key_of_tokens(player) != before


def test_two_rotations_under_load_refuse_nobody(tmp_path: Path) -> None:
    """Tokens, proofs, batches, client signatures and sign-ins, whichever key they were made with."""
    settle = {"SCOREBOARD_KEYS_SETTLE_S": str(SETTLE_S)}
    with served(tmp_path / "data", environ=settle) as server:
        ways = Ways(server)
        with ways.gone():
            for number in range(2):
                before = key_of_tokens(ways.player)
                for kind in ("action", "jwt", "client", "game"):
                    rotate(server.data / "keys", kind)
                wait_for(partial(another_key_signs, ways.player, before), 20)
                ways.further()
                Player(server, f"Newcomer{number}").score(1)
            assert 3 == len(server_keys(server))
        assert [] == ways.wrong


def server_keys(server: ServedScoreboard) -> list[str]:
    """The ids of the keys that are believed of access tokens."""
    told = httpx.get(f"{server.url}/.well-known/jwks.json", trust_env=False).json()
    return [key["kid"] for key in told["keys"]]
