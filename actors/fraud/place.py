"""Where an action came from, as far as habits need it: alike or not, and in which country. Pure."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Callable
from typing import NamedTuple

from actors.ports import Source


class Place(NamedTuple):
    """Marks of an address (of IPv6 its /64) and of an agent, and a country; None where it is not known."""

    address: str | None = None
    agent: str | None = None
    country: str | None = None


NOWHERE_KNOWN = Place()


def place_of(source: Source, secret: bytes, country_of: Callable[[str], str | None] = lambda _: None) -> Place:
    """The marks of a source. They are made with a secret, so that a stolen table tells nothing of anybody's address."""
    if source.address is None:
        return Place(None, _mark(source.user_agent, secret), None)
    network = _network(source.address)
    return Place(_mark(network, secret), _mark(source.user_agent, secret), country_of(source.address))


def _mark(text: str | None, secret: bytes) -> str | None:
    if text is None:
        return None
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8, key=secret[:64]).hexdigest()


def _network(address: str) -> str:
    """An address as it is counted; a text that is none as it stands."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(known, ipaddress.IPv4Address):
        return str(known)
    if known.ipv4_mapped is not None:
        return str(known.ipv4_mapped)
    return str(ipaddress.ip_network((known, 64), strict=False))
