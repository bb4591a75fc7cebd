"""Keeps what this worker knows of where players signed in beside what the others know."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import trio

from actors.ports import StoreUnavailable
from scoreboard.security.familiar import Familiar

#: From one look to the next.
LOOK_S = 2.0


class Others(Protocol):
    """What all workers share."""

    async def exchange(self, marks: Sequence[str]) -> tuple[list[str], bool]:
        """See `RedisFamiliar.exchange`."""
        ...


async def keep_familiar(
    familiar: Familiar, others: Others, sleep: Callable[[float], Awaitable[None]] = trio.sleep
) -> None:
    """Tell and hear, for ever. While the others cannot be asked, this worker goes by what it knows."""
    while True:
        if await _exchanged(familiar, others):
            await sleep(LOOK_S)


async def _exchanged(familiar: Familiar, others: Others) -> bool:
    """Whether that is all there is just now."""
    untold = familiar.untold()
    try:
        heard, is_all = await others.exchange(untold)
    except StoreUnavailable:
        return True
    familiar.told(untold)
    familiar.heard(heard)
    return is_all and not familiar.untold()
