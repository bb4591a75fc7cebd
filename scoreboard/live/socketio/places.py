"""How many sessions there may be, in all and of one address, and how many of them with nobody connected. Synchronous.

A session costs as much before its client has connected to Socket.IO as after, and anybody can begin one with a single
request. So those that nobody has connected to have few places of their own, and soon lose them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlaceLimits:
    """How many sessions at once.

    Attributes:
        sessions: in all.
        sessions_per_address: from one address; while a client polls it may have no connection for a moment, so the
            door's count of connections does not hold it.
        unconnected: in all, with nobody connected.
        unconnected_per_address: likewise from one address.
    """

    sessions: int = 10_000
    sessions_per_address: int = 2_000
    unconnected: int = 1_000
    unconnected_per_address: int = 200


class Places:
    """Counts; `site` is what shares the limits of one address."""

    def __init__(self, limits: PlaceLimits) -> None:
        self._limits = limits
        self._sites: Counter[str] = Counter()
        self._unconnected: Counter[str] = Counter()
        self._all = self._all_unconnected = 0

    def __repr__(self) -> str:
        return f"<Places, {self._all} taken from {len(self._sites)} sites, {self._all_unconnected} by nobody connected>"

    def __len__(self) -> int:
        return self._all

    def take(self, site: str) -> Place | str:
        """A place for one more session, with nobody connected yet; or which limit it would break."""
        limits = self._limits
        if self._all >= limits.sessions:
            return "sessions"
        if self._sites[site] >= limits.sessions_per_address:
            return "sessions_per_address"
        if self._all_unconnected >= limits.unconnected:
            return "unconnected"
        if self._unconnected[site] >= limits.unconnected_per_address:
            return "unconnected_per_address"
        self._all += 1
        self._sites[site] += 1
        self.count_unconnected(site, 1)
        return Place(self, site)

    def count_unconnected(self, site: str, change: int) -> None:
        """So many more sessions have nobody connected."""
        self._all_unconnected += change
        _count(self._unconnected, site, change)

    def give_back(self, site: str) -> None:
        """One is over, to which somebody was connected as far as is known here."""
        self._all -= 1
        _count(self._sites, site, -1)


class Place:
    """One session's, from its beginning to its end."""

    __slots__ = ("_connected", "_over", "_places", "_site")

    def __init__(self, places: Places, site: str) -> None:
        self._places = places
        self._site = site
        self._connected = False
        self._over = False

    def connected(self) -> None:
        """Somebody is connected to Socket.IO now."""
        if not self._connected:
            self._connected = True
            self._places.count_unconnected(self._site, -1)

    def disconnected(self) -> None:
        """Nobody is any more; of a session that is over it says nothing."""
        if self._connected and not self._over:
            self._connected = False
            self._places.count_unconnected(self._site, 1)

    def give_back(self) -> None:
        """The session is over; to be called once."""
        self.connected()
        self._over = True
        self._places.give_back(self._site)


def _count(counter: Counter[str], site: str, change: int) -> None:
    """What is at nothing is not kept: there are many addresses."""
    counter[site] += change
    if not counter[site]:
        del counter[site]
