from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import trio
from trio.testing import MockClock

from scoreboard.server.readiness import readiness_of
from scoreboard.stores.opening import Readiness


async def test_the_stores_are_asked_once_for_all_who_ask(autojump_clock: MockClock) -> None:
    """Whoever asks, and however often: what else is told is as it is now."""
    asked, ending = list[float](), [False]

    async def look() -> Readiness:
        asked.append(trio.current_time())
        await trio.sleep(0.3)
        return Readiness(postgres=True, redis=True)

    stores: Any = SimpleNamespace(ping=look)
    published: Any = SimpleNamespace(get=lambda _: cast(Any, "a board"))
    ask = readiness_of(stores, published, lambda: ending[0])
    async with trio.open_nursery() as nursery:
        for _ in range(500):
            nursery.start_soon(ask)
    ending[0] = True
    parts = await ask()
    assert ["postgres", "board", "server", "redis"] == [part.name for part in parts]
    assert [0.0] == [round(at - asked[0], 3) for at in asked]
