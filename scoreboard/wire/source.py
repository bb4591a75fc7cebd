"""Where a request or a connection came from, for the audit."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import Any

from actors.ports import Source

LONGEST_USER_AGENT = 512


def source_of(peer: Any, user_agent: str | None) -> Source:
    """From the socket address of the other end (None or anything else where there is none) and its `User-Agent`.

    No header is believed here: whom proxies of ours speak for is found at the door.
    """
    return Source(peer_address(peer), user_agent[:LONGEST_USER_AGENT] if user_agent else None)


def peer_address(peer: Any) -> str | None:
    """The address of the other end as text that a database takes, or None if there is none (a local socket)."""
    try:
        return _written(peer[0])
    except (TypeError, IndexError, AttributeError, ValueError):
        return None


@lru_cache(maxsize=4096)  # who asks asks again
def _written(address: str) -> str:
    """An address in its one spelling; raises ValueError of what is none."""
    return str(ipaddress.ip_address(address.partition("%")[0]))
