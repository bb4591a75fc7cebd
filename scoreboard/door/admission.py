"""Who may come in: how many connections are open, in all and from each address. Synchronous, no socket."""

from __future__ import annotations

from collections import Counter
from ipaddress import IPv6Address, ip_address

from scoreboard.door.limits import DoorLimits
from scoreboard.door.observer import Drop

_IPV6_SITE_BITS = 64  # one household or one phone has a whole /64 to choose addresses from


class Admission:
    """Counts those inside. `enter` and `leave` go in pairs."""

    def __init__(self, limits: DoorLimits) -> None:
        self._limits = limits
        self._sites: Counter[str] = Counter()
        self.inside = 0

    def enter(self, site: str | None) -> Drop | None:
        """Count one more from that site, or say why not (then nothing was counted).

        With None only all together are counted: behind a proxy of ours is everybody.
        """
        if self.inside >= self._limits.connections:
            return Drop.FULL
        why = None if site is None else self.settle(site)
        if why is None:
            self.inside += 1
        return why

    def settle(self, site: str) -> Drop | None:
        """Count one who is inside, and came through a proxy, for its site; or say why not."""
        if self._sites[site] >= self._limits.connections_per_address:
            return Drop.ADDRESS_FULL
        self._sites[site] += 1
        return None

    def leave(self, site: str | None) -> None:
        """Count one less from that site."""
        self.inside -= 1
        if site is None:
            return
        self._sites[site] -= 1
        if not self._sites[site]:
            del self._sites[site]  # otherwise every address that ever came would stay here

    def __repr__(self) -> str:
        return f"<Admission {self.inside} inside from {len(self._sites)} sites>"


def site_of(address: str) -> str:
    """What shares one limit: an IPv4 address (also in its IPv6 form), or the /64 of an IPv6 address."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address  # a Unix socket has no address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return f"{int(parsed) >> (128 - _IPV6_SITE_BITS):x}/64"
    return str(parsed)
