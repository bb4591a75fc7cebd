"""A sender who scores on a live socket, several commands ahead, whatever happens to the server."""

from __future__ import annotations

import json
import random
import socket
import time
from typing import Any

from tests.bench.book import Book, Told
from tests.bench.kept import Wrong, receive
from tests.bench.socket_player import signed_in
from tests.bench.steadfast_rest import AGAIN, LOST, PATIENCE_S, PAUSE_S
from tests.bench.wire import CLOSE, PING, frames, pong_frame, text_frame

AHEAD = 4


class SteadfastSocket:
    """One player: asks for some tokens at once, spends them at once, each with a key.

    What is not answered, or told to be unavailable, goes out again: the same token, the same key, on a new socket if
    need be.
    """

    def __init__(self, port: int, account: dict[str, Any], book: Book) -> None:
        self._port, self._book = port, book
        self._user_id: str = account["user_id"]
        self._token: str = account["token"]
        self._rng = random.Random(self._user_id)
        self._socket: socket.socket | None = None
        self._data = b""
        self._cycles = 0

    def play(self, until: float) -> None:
        """Until that moment (`time.monotonic`)."""
        while time.monotonic() < until:
            numbers = range(self._cycles, self._cycles + AHEAD)
            self._cycles += AHEAD
            granted, _ = self._ask("action.token", dict.fromkeys(numbers, None))
            wishes = {
                number: {"actionToken": granted[number]["actionToken"], "idempotencyKey": self._key(number)}
                for number in numbers
            }
            self._spend(wishes, first=True)
            if self._rng.random() < AGAIN:
                self._book.sent_again()
                self._spend(wishes, first=False)
        self._hang_up()

    def _key(self, number: int) -> str:
        return f"socket-{self._user_id}-{number}"

    def _spend(self, wishes: dict[int, Any], *, first: bool) -> None:
        answers, again = self._ask("score.increment", wishes, lossy=True)
        for number, answer in sorted(answers.items()):
            told = Told(self._user_id, answer["newScore"], answer["previousRank"], answer["newRank"])
            self._book.write(self._key(number), told, repeated=answer["repeated"], first=first and number not in again)

    def _ask(self, event: str, wishes: dict[int, Any], *, lossy: bool = False) -> tuple[dict[int, Any], set[int]]:
        """The answer to each, by its number, and which went out more than once. Raises Wrong."""
        answers: dict[int, Any] = {}
        again: set[int] = set()
        give_up = time.monotonic() + PATIENCE_S
        while missing := {number: wish for number, wish in wishes.items() if number not in answers}:
            try:
                self._say(event, missing)
                if lossy and self._rng.random() < LOST:
                    raise ConnectionError("nobody listens")
                self._hear(missing, answers)
            except (OSError, Wrong) as error:
                if time.monotonic() > give_up:
                    raise Wrong(f"{event}: no answer for {PATIENCE_S:g} s") from error
                self._hang_up()
            if len(answers) < len(wishes):
                again |= wishes.keys() - answers.keys()
                self._book.sent_again()
                time.sleep(PAUSE_S)
        return answers, again

    def _say(self, event: str, wishes: dict[int, Any]) -> None:
        if self._socket is None:
            self._socket, self._data = signed_in(self._port, self._token, "socket")
        frames_out = []
        for number, wish in wishes.items():
            named = {"event": event, "id": number}
            frames_out.append(text_frame(json.dumps(named if wish is None else named | {"data": wish}).encode()))
        self._socket.sendall(b"".join(frames_out))

    def _hear(self, asked: dict[int, Any], answers: dict[int, Any]) -> None:
        """Until each is answered, with an acknowledgement or with the wish to come again."""
        open_ones = set(asked)
        while open_ones:
            for message in self._messages():
                number = message.get("id")
                if message["event"] == "ack":
                    answers[number] = message["data"]
                elif message["data"]["code"] not in ("SERVICE_UNAVAILABLE", "INTERNAL_ERROR"):
                    raise SystemExit(f"answered {message!r}")
                open_ones.discard(number)

    def _messages(self) -> list[Any]:
        """Read what has come. Raises Wrong at the end of the connection, and OSError when nothing comes."""
        assert self._socket is not None
        self._data += receive(self._socket)
        found, end = [], 0
        for opcode, start, end in frames(self._data):
            payload = self._data[start:end]
            if opcode == PING:
                self._socket.sendall(pong_frame(payload))
            elif opcode == CLOSE:
                raise ConnectionError("the server said goodbye")
            else:
                found.append(json.loads(payload))
        self._data = self._data[end:]
        return found

    def _hang_up(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
