"""Looking for the primary goes on whatever a look ends with."""

from __future__ import annotations

from asyncio import CancelledError
from typing import Any, cast

import trio
import trio_asyncio
from trio.testing import MockClock

from actors.ports import StoreUnavailable
from scoreboard.stores.postgres_watch import LOOK_S, Watch


class Looks:
    """Hosts that are looked at with what is `to_come`, one after the other; and connections that are replaced."""

    several = True

    def __init__(self, *to_come: BaseException | bool) -> None:
        self._to_come = list(to_come)
        self.replaced = 0

    async def find_better(self, _ask: object) -> bool:
        """For asyncio."""
        found = self._to_come.pop(0) if self._to_come else False
        if isinstance(found, BaseException):
            raise found
        return found

    async def replace(self, *, cut: bool) -> None:
        """For asyncio."""
        assert cut
        self.replaced += 1


async def test_a_look_that_fails_is_not_the_last_one(autojump_clock: MockClock) -> None:
    """Whatever it was: a former primary would be followed for as long as it answers."""
    looks = Looks(StoreUnavailable("none there"), LookupError("nobody thought of this"), CancelledError(), True)
    async with trio_asyncio.open_loop() as loop:
        watch = Watch(cast(Any, looks), cast(Any, looks))
        await loop.run_aio_coroutine(watch.start())
        await trio.sleep(3.5 * LOOK_S)
        assert 0 == looks.replaced
        await trio.sleep(LOOK_S)
        await loop.run_aio_coroutine(watch.close())
    assert 1 == looks.replaced
