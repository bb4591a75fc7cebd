"""The names of things, and fresh ones."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import NewType, Protocol

UserId = NewType("UserId", str)
OperationId = NewType("OperationId", str)
SessionId = NewType("SessionId", str)
EventId = NewType("EventId", str)
BoardId = NewType("BoardId", str)
#: What one worker commits from its start to its end.
ChainId = NewType("ChainId", str)

ALL_TIME = BoardId("all_time")


@lru_cache(maxsize=256)
def key_id(key: bytes) -> str:
    """What a key is called: 8 hexadecimal digits that follow from it and tell nothing of it."""
    return hashlib.sha256(b"key id\n" + key).hexdigest()[:8]


class Ids(Protocol):
    """Fresh ids and nonces."""

    def uuid(self) -> str:
        """A random UUID in its usual text form."""
        ...

    def nonce(self) -> str:
        """At least 96 random bits as lower-case hex."""
        ...
