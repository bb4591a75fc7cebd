"""What can be done for points."""

from __future__ import annotations

from typing import Protocol


class ActionCatalogue(Protocol):
    """What can be done, and what it is worth."""

    async def actions(self) -> dict[str, int]:
        """The points of each type of action that counts now. Raises StoreUnavailable."""
        ...
