"""One player of a load generator on a live socket: asks for action tokens and spends them, some at once."""

from __future__ import annotations

import socket
import time
from typing import Any

from tests.bench.kept import Wrong, connect, receive
from tests.bench.wire import CLOSE, PING, frames, pong_frame, text_frame

PATH = "/ws/leaderboard"
_TOKEN, _SCORE, _ACK = b'"actionToken":', b'"newScore":', b'{"event":"ack","id":'
_ASK = text_frame(b'{"event":"action.token","id":0}')
_KEY = "MDEyMzQ1Njc4OWFiY2RlZg=="


def signed_in(port: int, token: str, agent: str = "bench") -> tuple[socket.socket, bytes]:
    """A live socket of a player, and what has come on it behind the handshake. Raises Wrong, and OSError."""
    fields = {
        "Host": "127.0.0.1",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": _KEY,
        "Authorization": f"Bearer {token}",
        "User-Agent": agent,
    }
    connected = connect(port)
    lines = [f"GET {PATH} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    connected.sendall("\r\n".join(lines).encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += receive(connected)
    if not answer.startswith(b"HTTP/1.1 101 "):
        connected.close()
        raise Wrong(f"no handshake: {answer[:200]!r}")
    return connected, answer.partition(b"\r\n\r\n")[2]


class SocketPlayer:
    """A signed-in connection with `at_once` cycles in flight. Durations are nanoseconds of the monotonic clock.

    Answers come in the order of the commands. Each must be an acknowledgement, and every score one more than the last.
    """

    def __init__(self, port: int, account: dict[str, Any], at_once: int = 1) -> None:
        self.user_id: str = account["user_id"]
        self.score: int = account["score"]
        self.cycles = 0
        self.cycle_ns: list[int] = []
        self.playing = 0
        self.sent_ns = 0
        self._at_once = at_once
        self._began: list[int] = []  # of the cycles in flight, the oldest first
        self.socket, self._data = signed_in(port, account["token"])

    def begin(self) -> None:
        """Begin as many cycles as may be in flight."""
        self.playing = self._at_once
        self._began = [time.monotonic_ns()] * self._at_once
        self.socket.sendall(_ASK * self._at_once)

    def play_one(self) -> None:
        """A whole cycle of one who has nothing else in flight; `sent_ns` is when the increment went out."""
        self.begin()
        while self.playing:
            self.step(go_on=False)

    def step(self, *, go_on: bool) -> int:
        """Read what has come, answer it in one piece; how many cycles ended. Raises Wrong."""
        self._data += receive(self.socket)
        replies, ended, end = [], 0, 0
        for opcode, start, end in frames(self._data):
            payload = self._data[start:end]
            if opcode == PING:
                replies.append(pong_frame(payload))
            elif opcode == CLOSE or not payload.startswith(_ACK):
                raise Wrong(f"answered {payload[:300]!r}")
            elif (at := payload.find(_TOKEN)) >= 0:
                token = payload[at : payload.index(b"}", at) + 1]
                replies.append(text_frame(b'{"event":"score.increment","id":1,"data":{%b}}' % token))
            else:
                self._scored(payload)
                ended += 1
        self._data = self._data[end:]
        if go_on:
            self._began += [time.monotonic_ns()] * ended
            replies += [_ASK] * ended
        else:
            self.playing -= ended
        if replies:
            self.sent_ns = time.monotonic_ns()
            self.socket.sendall(b"".join(replies))
        return ended

    def _scored(self, payload: bytes) -> None:
        at = payload.index(_SCORE) + len(_SCORE)
        score = int(payload[at : payload.index(b",", at)])
        if score != self.score + 1:
            raise Wrong(f"a score of {score} after {self.score}")
        self.score = score
        self.cycles += 1
        self.cycle_ns.append(time.monotonic_ns() - self._began.pop(0))
