"""Thousands of connections that do one thing, beside an honest client whose requests are timed: no test, a measure.

`python -m tests.edge.herd --help`. The crowd is one process, so that what it needs of the processor can be told from
what the server needs; a machine with few cores gives both less.
"""

from __future__ import annotations

import multiprocessing
import os
import select
import socket
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path

import click
import psutil

from tests.edge.books import Books, books_of, wait_until_back
from tests.edge.valid import SUBSCRIBE, WEBSOCKET, frame, get, text
from tests.served import ServedScoreboard, served

_LIVE = WEBSOCKET % b"/ws/leaderboard"
_WITHIN_S = 30.0
#: In which a crowd comes and is let in, if it takes no longer.
_SETTLE_S = 5.0
#: Honest requests come from here, and are not bounded in number: what is measured is how long they wait.
HONEST = "127.0.0.2"
_UNBOUNDED = {
    "SCOREBOARD_LIMITS_REQUESTS_PER_MINUTE": "1000000",
    "SCOREBOARD_LIMITS_REQUESTS_PER_MINUTE_PER_ADDRESS": "1000000",
}


@dataclass(frozen=True, slots=True)
class Way:
    """What each connection says first, and then again and again: to each answer, or every so many seconds."""

    first: bytes = b""
    again: bytes = b""
    every_s: float | None = None


WAYS: Mapping[str, Way] = {
    "idle": Way(),
    "slow heads": Way(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", b"x", 1.0),
    "requests": Way(again=get(b"/api/scores/top") * 4),
    "unread": Way(get(b"/api/asyncapi.json") * 20),
    "idle sockets": Way(_LIVE),
    "messages": Way(_LIVE, text(b'{"event":"ping"}') * 2),
    "subscriptions": Way(_LIVE, text(SUBSCRIBE) * 2),
    "pings": Way(_LIVE, frame(9, b"") * 100),
    "pongs": Way(_LIVE, frame(10, b"") * 2000, 0.5),
    "fragments": Way(_LIVE, (frame(1, b"", last=False) + frame(0, b"", last=False) * 60 + frame(0, b"")) * 10, 0.5),
    "bytes": Way(_LIVE, b"\x81", 0.05),
    "streams": Way(get(b"/api/v1/leaderboard/stream?channel=leaderboard.top10")),
}


class Herd:
    """The connections of one way, in a process of their own."""

    def __init__(self, port: int, way: Way, count: int, addresses: int) -> None:
        self._way = way
        self._port = port
        self._count, self._addresses = count, addresses
        self._poll = select.epoll()
        self._lines: dict[int, socket.socket] = {}

    def run(self, inside: Event, over: Event, nice: int) -> None:
        """Come, say so, and go on until it is over."""
        os.nice(nice)
        for number in range(self._count):
            self._come(f"127.0.1.{1 + number % self._addresses}")
        inside.set()
        said_at = 0.0
        while not over.is_set():
            if self._way.again and (said_at == 0.0 or self._is_time(said_at)):
                said_at = time.monotonic()
                for line in list(self._lines.values()):
                    self._say(line)
            self._hear()
        for line in self._lines.values():
            line.close()

    def _is_time(self, said_at: float) -> bool:
        return self._way.every_s is not None and time.monotonic() > said_at + self._way.every_s

    def _come(self, address: str) -> None:
        line = socket.create_connection(("127.0.0.1", self._port), _WITHIN_S, (address, 0))
        line.setblocking(False)
        self._lines[line.fileno()] = line
        if self._way != WAYS["unread"]:
            self._poll.register(line.fileno(), select.EPOLLIN)
        if self._way.first:
            line.send(self._way.first)

    def _say(self, line: socket.socket) -> None:
        try:
            line.send(self._way.again)
        except BlockingIOError:
            return
        except OSError:
            self._go(line)

    def _hear(self) -> None:
        for number, _ in self._poll.poll(0.05):
            line = self._lines[number]
            try:
                said = line.recv(65_536)
            except OSError:
                said = b""
            if not said:
                self._go(line)
            elif self._way.again and self._way.every_s is None:
                self._say(line)

    def _go(self, line: socket.socket) -> None:
        if self._lines.pop(line.fileno(), None) is not None:
            line.close()


def timed(port: int, seconds: float, and_until: Callable[[], bool] = lambda: True) -> list[float]:
    """How long an honest client waits for each of its requests, in milliseconds, the shortest first."""
    took, request, until = list[float](), get(b"/api/scores/top"), time.monotonic() + seconds
    with socket.create_connection(("127.0.0.1", port), _WITHIN_S, (HONEST, 0)) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while time.monotonic() < until or not and_until():
            begun = time.monotonic()
            line.sendall(request)
            _read_answer(line)
            took.append((time.monotonic() - begun) * 1e3)
            time.sleep(0.01)
    return sorted(took)


def _read_answer(line: socket.socket) -> None:
    said = b""
    while b"\r\n\r\n" not in said:
        said += _more(line)
    head, _, body = said.partition(b"\r\n\r\n")
    left = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]) - len(body)
    while left > 0:
        left -= len(_more(line))


def _more(line: socket.socket) -> bytes:
    said = line.recv(65_536)
    if not said:
        raise ConnectionError("the honest client was cut off")
    return said


def _measure(server: ServedScoreboard, name: str, count: int, addresses: int, seconds: float, nice: int) -> str:
    assert server.process is not None
    process, before = psutil.Process(server.process.pid), books_of(server)
    alone = timed(server.port, seconds)
    inside, over = multiprocessing.Event(), multiprocessing.Event()
    herd = Herd(server.port, WAYS[name], count, addresses)
    crowd = multiprocessing.Process(target=herd.run, args=(inside, over, nice))
    crowd.start()
    coming = timed(server.port, _SETTLE_S, inside.is_set)
    worked_s, begun = sum(process.cpu_times()[:2]), time.monotonic()
    beside = timed(server.port, seconds)
    busy = (sum(process.cpu_times()[:2]) - worked_s) / (time.monotonic() - begun)
    held = books_of(server)
    over.set()
    crowd.join()
    told = " | ".join(_line(each) for each in (alone, coming, beside))
    return f"{name:14} {count:6} | {told} | {busy:4.0%} | {_back(server, before, held)}"


def _line(took: list[float]) -> str:
    return f"{took[len(took) // 2]:7.1f} {took[int(len(took) * 0.99) - 1]:7.1f} {took[-1]:7.1f}"


def _back(server: ServedScoreboard, before: Books, held: Books) -> str:
    try:
        wait_until_back(lambda: books_of(server), before, 60.0)
    except AssertionError as error:
        return f"NOT GIVEN BACK: {error}"
    most, kept = ((each.resident - before.resident) / 2**20 for each in (held, books_of(server)))
    return f"{most:+5.0f} MiB, {held.tasks - before.tasks:+d} tasks; kept {kept:+.0f} MiB"


@click.command()
@click.option("--way", "ways", multiple=True, type=click.Choice(list(WAYS)), help="Only these; all of them otherwise.")
@click.option("--connections", default=1900, show_default=True)
@click.option("--addresses", default=1, show_default=True, help="That they come from; each may have 2,000.")
@click.option("--seconds", default=4.0, show_default=True, help="Of honest requests, alone and beside the crowd.")
@click.option("--nice", default=0, show_default=True, help="How far the crowd steps back on the processor.")
def main(*, ways: tuple[str, ...], connections: int, addresses: int, seconds: float, nice: int) -> None:
    """Time honest requests alone, while each crowd comes, and beside it; tell what the server held and gave back."""
    click.echo(
        f"{'ms: p50, p99, most':21} | {'alone':23} | {'as they come':23} | {'beside them':23} | busy | held, kept"
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        served(Path(folder) / "data", limits="on", environ=_UNBOUNDED) as server,
    ):
        for name in ways or WAYS:
            click.echo(_measure(server, name, connections, addresses, seconds, nice))


if __name__ == "__main__":
    main(prog_name="python -m tests.edge.herd")
