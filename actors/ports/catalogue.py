"""What can be done for points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

#: How a game's server proves an action: by HMAC-SHA256 with the key that it shares with us.
HMAC = "hmac"


class ActionKind(NamedTuple):
    """A type of action that counts: what it is worth, what people read of it, and how it is proven."""

    action_type: str
    points: int
    description: str | None = None
    verifier: str = HMAC


class ActionCatalogue(Protocol):
    """What can be done and what it is worth; and which actions have counted. All methods raise StoreUnavailable."""

    async def actions(self) -> dict[str, int]:
        """The points of each type of action that counts now."""
        ...

    async def kinds(self) -> list[ActionKind]:
        """The same, with all that is known of each, by type."""
        ...

    async def spent(self, token_hashes: Sequence[bytes]) -> set[bytes]:
        """Which of these (see `ScoreWrite.token_hash`) have counted."""
        ...
