"""Makes values from outside into values that Postgres takes, so that one odd row never fails the batch around it."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from hashlib import blake2b

from asyncpg.pgproto.pgproto import UUID

NOBODY = UUID("00000000-0000-0000-0000-000000000000")
USER_AGENT_LIMIT = 400


def user_key(text: str) -> UUID:
    """The id of a player; text that is no UUID becomes one that no player has."""
    try:
        return UUID(text)
    except ValueError:
        return NOBODY


def name_key(text: str) -> UUID:
    """A UUID for any name: the one it spells, or one made from its bytes."""
    try:
        return UUID(text)
    except ValueError:
        return UUID(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest())


def clean(text: str) -> str:
    """The text without what Postgres cannot store: zero bytes and lone surrogates."""
    if text.isascii() and "\0" not in text:
        return text
    if "\0" in text:
        text = text.replace("\0", "")
    return text.encode("utf-8", "replace").decode()


@lru_cache(maxsize=4096)
def user_agent(text: str | None) -> str | None:
    """A browser's name for itself, cut to a bounded length."""
    return None if text is None else clean(text[:USER_AGENT_LIMIT])


@lru_cache(maxsize=4096)
def address(text: str | None) -> str | None:
    """An IP address in plain form, or None if it is none. A zone is dropped: `inet` has none."""
    if text is None:
        return None
    try:
        return str(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return None
