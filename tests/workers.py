"""The workers of a real server, each spoken to on a connection of which it is known whose it is."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import psutil
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Ping, Request, TextMessage

from tests.served import ServedScoreboard, wait_for

WITHIN_S = 30.0


class WithWorkers(Protocol):
    """A server with its port and its log, the lines of which are JSON."""

    @property
    def port(self) -> int:
        """Of all workers."""

    @property
    def log(self) -> Path:
        """Of all workers."""


def worker_pids(server: WithWorkers) -> dict[int, int]:
    """The processes of the workers that have the port now, by their numbers."""
    ready = {(line["worker"], line["pid"]) for line in log_of(server) if line["event"] == "worker_ready"}
    return {number: pid for number, pid in sorted(ready) if _lives(pid)}


def _lives(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def log_of(server: WithWorkers) -> list[dict[str, Any]]:
    """All lines of its log."""
    return [json.loads(line) for line in server.log.read_text().splitlines()]


@dataclass(frozen=True, slots=True)
class Told:
    """An answer."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def text(self) -> str:
        """The body."""
        return self.body.decode()

    def json(self) -> Any:
        """What it says."""
        return json.loads(self.body)


class OneWorker:
    """One connection, and the worker that has accepted it. It is never opened again."""

    def __init__(self, server: ServedScoreboard, number: int, line: socket.socket) -> None:
        self.number = number
        self._server = server
        self._http = http.client.HTTPConnection("127.0.0.1", server.port)
        self._http.auto_open = 0
        self._http.sock = line
        server.guests.callback(self.close)

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Told:
        """Ask, and wait for the answer."""
        return self.ask("GET", path, headers=headers)

    def post(self, path: str, content: str | Iterable[bytes] = "", headers: Mapping[str, str] | None = None) -> Told:
        """Bring something, and wait for the answer."""
        return self.ask("POST", path, content, headers)

    def ask(
        self,
        method: str,
        path: str,
        content: str | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Told:
        """Any request."""
        self.send(method, path, content, headers)
        return self.heard()

    def heard(self) -> Told:
        """The answer to what was sent last."""
        answer = self._http.getresponse()
        return Told(answer.status, answer.getheaders(), answer.read())

    def send(
        self,
        method: str,
        path: str,
        content: str | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Without waiting."""
        kind = {"Content-Type": "application/json"} if content else {}
        self._http.request(method, path, body=content, headers={**kind, **(headers or {})})

    @contextmanager
    def websocket(self, path: str) -> Iterator[Talk]:
        """A WebSocket on another connection of the same worker."""
        with connection_to(self._server, self.number) as line:
            yield Talk(line, path)

    def close(self) -> None:
        """Hang up."""
        self._http.close()


class Talk:
    """A WebSocket, blocking, with an end to its patience."""

    def __init__(self, line: socket.socket, path: str) -> None:
        self._line = line
        self._protocol = WSConnection(ConnectionType.CLIENT)
        line.sendall(self._protocol.send(Request(host="x", target=path)))
        self.closed_with: tuple[int, str] = (0, "")  # until the server has said so
        self._events = self._come()
        assert isinstance(next(self._events), AcceptConnection)

    def say(self, text: str) -> None:
        """A message."""
        self._line.sendall(self._protocol.send(TextMessage(data=text)))

    def heard(self) -> str:
        """The next message."""
        text = ""
        for event in self._events:
            assert not isinstance(event, BytesMessage)
            if isinstance(event, CloseConnection):
                self.closed_with = event.code, event.reason or ""
                self._line.sendall(self._protocol.send(event.response()))
            if isinstance(event, Ping):
                self._line.sendall(self._protocol.send(event.response()))
            if isinstance(event, TextMessage):
                text += event.data
                if event.message_finished:
                    return text
        raise ConnectionError("the server hung up")

    def _come(self) -> Iterator[Any]:
        while data := self._line.recv(65_536):
            self._protocol.receive_data(data)
            yield from self._protocol.events()


def both(server: ServedScoreboard) -> tuple[OneWorker, OneWorker]:
    """Each of two workers, once both have the port."""
    wait_for(lambda: len(worker_pids(server)) == 2, why_not=server.why_not)
    return OneWorker(server, 1, connection_to(server, 1)), OneWorker(server, 2, connection_to(server, 2))


def connection_to(server: WithWorkers, number: int) -> socket.socket:
    """A connection that this worker has accepted, on which nothing was said."""
    give_up, passed = time.monotonic() + WITHIN_S, []
    try:
        while time.monotonic() < give_up:
            line = socket.create_connection(("127.0.0.1", server.port), timeout=WITHIN_S)
            wait_for(partial(_is_accepted, server, line))
            if _owner(server, line) == number:
                return line
            passed.append(line)  # kept, so that the other one has more
    finally:
        for line in passed:
            line.close()
    raise AssertionError(f"worker {number} accepts nobody")


def _owner(server: WithWorkers, line: socket.socket) -> int | None:
    ours = line.getsockname()[1]
    for number, pid in worker_pids(server).items():
        with suppress(psutil.NoSuchProcess):  # it ended since it was looked for
            for each in psutil.Process(pid).net_connections("tcp"):
                if each.raddr and each.raddr.port == ours and each.laddr.port == server.port:
                    return number
    return None


def _is_accepted(server: WithWorkers, line: socket.socket) -> bool:
    return _owner(server, line) is not None
