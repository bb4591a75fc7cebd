"""The names of things, and fresh ones."""

from __future__ import annotations

from typing import NewType, Protocol

UserId = NewType("UserId", str)
OperationId = NewType("OperationId", str)
SessionId = NewType("SessionId", str)
EventId = NewType("EventId", str)
BoardId = NewType("BoardId", str)

ALL_TIME = BoardId("all_time")


class Ids(Protocol):
    """Fresh ids and nonces."""

    def uuid(self) -> str:
        """A random UUID in its usual text form."""
        ...

    def nonce(self) -> str:
        """At least 96 random bits as lower-case hex."""
        ...
