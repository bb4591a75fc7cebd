from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from actors.ports import AuditEvent, EventId, EventKind
from tests.contract.making import HERE, NOW_US, real_world, uuid_of, write
from tests.stores.vault import Vault
from tests.vault import open_stores


@pytest.fixture
async def vault(postgres_url: str, redis_url: str) -> AsyncIterator[Vault]:
    """Two players, five batches of scores, two of events."""
    async with open_stores(postgres_url, redis_url) as stores:
        world = real_world(stores)
        players = [await world.player(name) for name in ("Ann", "Bob")]
        for number in range(4):
            await world.scores.commit([write(players[number % 2], points=number + 1, occurred_us=await world.now_us())])
        await world.scores.commit([write(player) for player in players * 2])
        event = AuditEvent(
            *(
                EventId(uuid_of(1)),
                NOW_US,
                NOW_US,
                EventKind.REFUSAL,
                "RATE_LIMITED",
                "anybody",
                players[0],
                "here",
                HERE,
            ),
            *("because", "r1", 2, {"a": 1}),
        )
        await stores.audit.record([event])
        await world.stand(players[1], flagged=True)
        yield Vault(stores, world, players)
