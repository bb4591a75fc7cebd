"""How soon what comes in pieces is read on: who drips on many connections does not have all of them woken at once."""

from __future__ import annotations

import select
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import trio

from scoreboard.leaky_buckets import LeakyBuckets


@dataclass(frozen=True, slots=True)
class PieceRate:
    """Pieces of one address that are read after first ones: a second in the long run, and at once.

    Nobody waits longer than `most_s`, so that who shares the address of a crowd is served. As many connections as an
    address may have, all with a head of which something is missing, are looked at again once in that time.
    """

    per_s: float = 1000.0
    burst: float = 64.0
    most_s: float = 2.0


@runtime_checkable
class _OnSocket(Protocol):
    @property
    def socket(self) -> _Readable: ...


class _Readable(Protocol):
    def fileno(self) -> int: ...


class Pace:
    """Lets connections wait before they are read on, evenly spread over time for each address.

    Trio wakes every task whose socket has something, all in one turn of its loop; so one byte on each of thousands of
    connections, sent at one moment, would keep everybody else waiting for as long as it takes to look at all of them.
    Here who has sent a piece that is no whole head is not woken by the next one, but looks for it when the address has
    its turn. Heads of honest clients come in one piece, large ones in a few, and where there is no crowd nobody waits.
    """

    def __init__(self, rate: PieceRate = PieceRate()) -> None:
        self._rate = rate
        self._buckets = LeakyBuckets(rate.per_s, rate.burst)

    def __repr__(self) -> str:
        return f"<Pace of {self._rate}, {len(self._buckets)} addresses>"

    async def before_more(self, site: str | None, has_come: Callable[[], bool]) -> None:
        """Wait until more may be read from there; at once, and without a checkpoint, where there is no crowd.

        A proxy, which has no site, does not wait either: through it come the heads of many, and whole ones.
        """
        if site is None:
            return
        while wait_s := self.wait_for(site, trio.current_time()):
            await trio.sleep(wait_s)
            if has_come():
                return

    def wait_for(self, site: str, now: float) -> float:
        """Something more from there shall be read: seconds to wait before that."""
        most_s = self._rate.most_s
        return min(self._buckets.wait_for(sys.intern(site), 1, now, within_s=most_s), most_s)


def has_come(stream: object) -> bool:
    """Whether a read would find something, or the end; also where that cannot be told without reading."""
    if not isinstance(stream, _OnSocket) or getattr(stream.socket, "has_more", False):
        return True
    with suppress(OSError, ValueError):  # it was closed meanwhile, as who reads will learn
        poll = select.poll()
        poll.register(stream.socket.fileno(), select.POLLIN)
        return bool(poll.poll(0))
    return True


async def no_pace() -> None:
    """Where nobody else is."""
