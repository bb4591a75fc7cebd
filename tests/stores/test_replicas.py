"""Looking after replicas goes on whatever a look ends with."""

from __future__ import annotations

from asyncio import CancelledError
from types import SimpleNamespace
from typing import Any, cast

import pytest
import trio
import trio_asyncio
from trio.testing import MockClock

from actors.ports import StoreUnavailable
from scoreboard.stores.replicas import LOOKS, Replica, Replicas

LAG_S = 4.0


class There:
    """A server that is asked how far it is, and says what is `to_come`; at the end the same again and again."""

    def __init__(self, loop: trio_asyncio.TrioEventLoop, *to_come: BaseException | int) -> None:
        self.loop = loop
        self.breaker = SimpleNamespace(away=False)
        self._to_come = list(to_come)
        self.read = 0

    async def unit(self, _: object) -> int:
        """For asyncio."""
        says = self._to_come.pop(0) if self._to_come[1:] else self._to_come[0]
        if isinstance(says, BaseException):
            raise says
        return says

    async def run(self, _: object) -> str:
        """For Trio."""
        await trio.lowlevel.checkpoint()
        self.read += 1
        return "read"

    async def close(self) -> None:
        """For asyncio."""


@pytest.mark.parametrize("how", [StoreUnavailable, LookupError, CancelledError])
async def test_a_look_that_fails_is_not_the_last_one(autojump_clock: MockClock, how: type[BaseException]) -> None:
    """The primary would have all the reading from then on, until a restart."""
    async with trio_asyncio.open_loop() as loop:
        primary, replica = There(loop, 5), There(loop, how("nobody thought of this"), 5)
        replicas = Replicas(cast(Any, primary), [Replica("replica", cast(Any, replica))], LAG_S)
        await loop.run_aio_coroutine(replicas.start())
        await trio.sleep(2.5 * LAG_S / LOOKS)
        await replicas.run(cast(Any, None))
        await loop.run_aio_coroutine(replicas.close())
    assert (0, 1) == (primary.read, replica.read)
