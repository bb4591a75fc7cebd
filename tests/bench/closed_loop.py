"""Many players at once, each with the next cycle as soon as one has ended."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Sequence
from typing import Protocol

from tests.bench.kept import PATIENCE_S, Wrong


class Cycling(Protocol):
    """A player in cycles; `playing` is how many of them are in flight."""

    socket: socket.socket
    playing: int

    def begin(self) -> None:
        """Begin as many cycles as may be in flight."""
        ...

    def step(self, *, go_on: bool) -> int:
        """Read what has come and go on, with another cycle for each that has ended if `go_on`; how many have."""
        ...


def play(players: Sequence[Cycling], seconds: float) -> int:
    """All at once until the time is over; how many cycles ended in time. The rest are brought to their end.

    All sockets are closed at the end. Raises Wrong when an answer does not come.
    """
    try:
        return _play({player.socket.fileno(): player for player in players}, seconds)
    finally:
        for player in players:
            player.socket.close()


def _play(by_number: dict[int, Cycling], seconds: float) -> int:
    poll = select.epoll()
    ends = time.monotonic() + seconds
    for number, player in by_number.items():
        poll.register(number, select.EPOLLIN)
        player.begin()
    in_time, playing = 0, len(by_number)
    while playing:
        ready = poll.poll(PATIENCE_S)
        if not ready:
            raise Wrong(f"{playing} players wait for an answer in vain")
        go_on = time.monotonic() < ends
        for number, _ in ready:
            player = by_number[number]
            ended = player.step(go_on=go_on)
            in_time += ended if go_on else 0
            if not player.playing:
                poll.unregister(number)
                playing -= 1
    poll.close()
    return in_time
