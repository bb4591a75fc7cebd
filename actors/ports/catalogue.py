"""What can be done for points."""

from __future__ import annotations

from typing import NamedTuple, Protocol

#: How a game's server proves an action: by HMAC-SHA256 with a secret that it shares with us, or by Ed25519 with a key
#: of which only the public half was registered here.
HMAC, ED25519 = "hmac", "ed25519"

#: The key that proves actions unless the catalogue names another.
GAME_KEY = "game"


class ActionKind(NamedTuple):
    """A type of action that counts: what it is worth, what people read of it, how it is proven, how often it can be.

    `key` names whose signature proves it. The same player cannot complete two of them within `least_s` seconds, nor
    more than `most` within `window_s` (None: any number). A `honeypot` is never told to anybody: who completes one has
    made it up.
    """

    action_type: str
    points: int
    description: str | None = None
    verifier: str = HMAC
    key: str = GAME_KEY
    least_s: float = 0.0
    most: int | None = None
    window_s: float = 60.0
    honeypot: bool = False


class ActionCatalogue(Protocol):
    """What can be done and what it is worth. All methods raise StoreUnavailable."""

    async def actions(self) -> dict[str, int]:
        """The points of each type of action that counts now, honeypots excepted."""
        ...

    async def kinds(self) -> list[ActionKind]:
        """All that is known of each, by type; honeypots too."""
        ...
