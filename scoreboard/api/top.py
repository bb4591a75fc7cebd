"""The board as a page, in document A's form."""

from __future__ import annotations

import msgspec

from actors.leaderboard.messages import PageAnswer
from actors.ports import ALL_TIME, BoardId
from scoreboard.api.answer import Answer
from scoreboard.api.request import ApiRequest
from scoreboard.api.slices import Slices, Which
from scoreboard.api.world import ApiWorld
from scoreboard.wire.rows import row_json

SHARED_5_S = ((b"cache-control", b"public, max-age=5"),)
CACHE_HIT = {True: b"true", False: b"false"}


class TopRoute:
    """``GET /api/scores/top``."""

    def __init__(self, world: ApiWorld) -> None:
        self._world = world
        self._slices = Slices(world, _said)

    async def top(self, request: ApiRequest) -> Answer:
        """`limit` rows behind the first `offset`."""
        asked = request.asked
        found, hit = await self._slices.find(Which(ALL_TIME, asked["limit"], asked["offset"]))
        now_ms = self._world.clock.now_us() // 1000
        return found.answer(request, b',"cacheHit":%s,"timestamp":%d}' % (CACHE_HIT[hit], now_ms), SHARED_5_S)


def _said(_board: BoardId, page: PageAnswer) -> bytes:
    board = [row_json(row) for row in page.rows]
    return msgspec.json.encode({"leaderboard": board, "totalUsers": page.total})[:-1]
