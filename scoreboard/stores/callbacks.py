"""How much of what asyncio has to do is done in one turn of the event loop.

The drivers run in a loop of trio-asyncio, which takes one callback in each turn of Trio's. A query takes several of
them, and the more clients there are, the longer is each of these turns: sixty that sent garbage made a commit take a
second, and Redis seem away. asyncio itself runs all callbacks that are ready before it looks for input again. So is it
done here, a portion at a time.
"""

from __future__ import annotations

from contextlib import suppress

import trio
import trio_asyncio

#: asyncio has no bound; with one, clients are heard between the portions of a store that always has more.
PORTION = 64


def run_in_portions(loop: trio_asyncio.TrioEventLoop, most: int = PORTION) -> None:
    """From now on, until that loop ends.

    trio-asyncio has no setting for that, so the step of its main loop is exchanged for one that goes on.
    """
    one = loop._main_loop_one  # noqa: SLF001

    async def some(no_wait: bool = False) -> None:  # noqa: FBT001, FBT002 - as the loop calls it
        await one(no_wait)
        if not no_wait:
            with suppress(trio.WouldBlock):  # nothing more is ready
                for _ in range(most - 1):
                    await one(no_wait=True)

    loop._main_loop_one = some  # noqa: SLF001
