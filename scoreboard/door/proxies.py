"""Whom a request comes from when proxies of ours stand between. Pure.

Anybody may write `Forwarded` or `X-Forwarded-For` into a request. What they say is believed only as far as proxies of
ours have said it: from the right, up to the first address that is none of theirs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

FORWARDED = b"forwarded"
X_FORWARDED_FOR = b"x-forwarded-for"

_Address = IPv4Address | IPv6Address
_Network = IPv4Network | IPv6Network

_WORD = r"[-!#$%&'*+.^_`|~0-9A-Za-z]+"
_QUOTED = r'"[^"\\,]*"'
#: One element of `Forwarded`, whole. Commas and backslashes within quotes are not read: an element could then begin in
#: a text that a client chose, like its `Host`, and what a proxy appends could end in a quote that a client opened.
_ELEMENT = re.compile(rf"{_WORD}=(?:{_WORD}|{_QUOTED})(?:\s*;\s*{_WORD}=(?:{_WORD}|{_QUOTED}))*")
_PAIR = re.compile(rf"({_WORD})=({_WORD}|{_QUOTED})")
_NODE = re.compile(r"(?:\[(?P<six>[^\]]*)\]|(?P<four>[0-9.]+))(?::[0-9]{1,5})?|(?P<bare>[0-9a-fA-F:.]+)")


class Proxies:
    """The proxies of ours, by their networks, like ``10.0.0.0/8``; none: nobody is believed. Raises ValueError."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self._networks: tuple[_Network, ...] = tuple(ip_network(each.strip()) for each in networks)

    def __repr__(self) -> str:
        return f"<Proxies {', '.join(map(str, self._networks)) or 'none'}>"

    def __contains__(self, address: object) -> bool:
        """Whether that address (as text) is a proxy's."""
        if not self._networks:
            return False
        parsed = _address(str(address))
        return parsed is not None and self._is_ours(parsed)

    def client_of(self, peer: str, fields: Iterable[tuple[bytes, bytes]]) -> str | None:
        """The address that a request of this peer with these header fields comes from.

        None: from the peer itself, as far as can be believed. So it is for every peer that is no proxy of ours. A proxy
        that knows one of the two headers passes the other one on as a client wrote it: where they tell two clients
        neither is believed.
        """
        if not self._networks or peer not in self:
            return None
        told = list(fields)
        found = {
            self._last_stranger(hops)
            for name, node in ((FORWARDED, _for_of), (X_FORWARDED_FOR, _address))
            if (hops := _hops(told, name, node)) is not None
        }
        return found.pop() if len(found) == 1 else None

    def _last_stranger(self, hops: Iterator[_Address | None]) -> str | None:
        nearest = None
        for hop in hops:
            if hop is None:  # hidden, or no address at all: who said so is the last one that is known
                break
            nearest = str(hop)
            if not self._is_ours(hop):
                break
        return nearest

    def _is_ours(self, address: _Address) -> bool:
        return any(address in network for network in self._networks)


def _hops(
    fields: list[tuple[bytes, bytes]], name: bytes, node: Callable[[str], _Address | None]
) -> Iterator[_Address | None] | None:
    """What a header says, the last one first; None if it is not there."""
    values = [value.decode("latin-1") for key, value in fields if key == name]
    return map(node, reversed(",".join(values).split(","))) if values else None


def _for_of(element: str) -> _Address | None:
    element = element.strip()
    if not _ELEMENT.fullmatch(element):
        return None
    nodes = [value for key, value in _PAIR.findall(element) if key.lower() == "for"]
    return _address(nodes[0].strip('"')) if len(nodes) == 1 else None


def _address(text: str) -> _Address | None:
    """As headers write it: perhaps with a port, IPv6 perhaps in brackets. An IPv4 address is the same in both forms."""
    match = _NODE.fullmatch(text.strip())
    if match is None:
        return None
    try:
        parsed = ip_address(match["six"] or match["four"] or match["bare"] or "")
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return parsed if mapped is None else mapped
