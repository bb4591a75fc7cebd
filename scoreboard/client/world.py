"""What the client needs of the world beside Trio's clock: the network, and chance."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from scoreboard.client.transport import Transport


def _key() -> str:
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True)
class World:
    """Handed in, so that a script can play it.

    Args:
        transport: The way to the server.
        chance: A number from 0 to 1, for pauses.
        key: Makes idempotency keys.
    """

    transport: Transport
    chance: Callable[[], float] = random.random
    key: Callable[[], str] = _key
