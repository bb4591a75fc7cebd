"""``/api/v1/leaderboard``: pages of every board, and where one player stands on it."""

from __future__ import annotations

from typing import Any

import msgspec

from actors.leaderboard.events import Row
from actors.leaderboard.messages import NotRanked, PageAnswer, RankOf
from actors.ports import BoardId, UserId
from scoreboard.api.answer import Answer, Headers
from scoreboard.api.dialects import succeeded
from scoreboard.api.request import ApiRequest
from scoreboard.api.slices import Slices, Which
from scoreboard.api.v1.scopes import board_in, told_of
from scoreboard.api.world import ApiWorld
from scoreboard.wire.rows import full_row_json
from scoreboard.wire.times import iso

TOP_PATH = "/api/v1/leaderboard/top"
RANK_PATH = "/api/v1/leaderboard/rank/{userId}"
#: One second, as document B has it. What somebody signed in sees is theirs, and the same address shows others less.
SHARED: Headers = ((b"cache-control", b"public, max-age=1"), (b"vary", b"authorization"))
PRIVATE: Headers = ((b"cache-control", b"private, max-age=1"), (b"vary", b"authorization"))


class BoardRoutes:
    """Both routes."""

    def __init__(self, world: ApiWorld) -> None:
        self._world = world
        self._slices = Slices(world, self._said)

    async def top(self, request: ApiRequest) -> Answer:
        """`limit` rows behind the first `offset`, and one's own line for who is signed in."""
        asked = request.asked
        world, caller = self._world, request.caller
        board = board_in(asked)
        found, _ = await self._slices.find(Which(board, asked["limit"], asked["offset"]))
        if caller is not None:
            found = found.with_more(await self._own_line(board, UserId(caller.user_id)))
        end = b',"generatedAt":"%s"}}' % iso(world.clock.now_us()).encode()
        return found.answer(request, end, SHARED if caller is None else PRIVATE)

    async def rank(self, request: ApiRequest, userId: str) -> Answer:  # noqa: N803 - as document B spells it
        """One player's line, and the share of players who stand no higher."""
        asked = request.asked
        board = board_in(asked)
        found = await self._world.ask_board(board, RankOf(UserId(userId.lower()), own=request.is_of(userId)))
        row = msgspec.structs.asdict(full_row_json(found.row))
        about = told_of(self._world, board)
        return succeeded({**row, "percentile": found.percentile, "totalUsers": found.total, **about})

    def _said(self, board: BoardId, page: PageAnswer) -> bytes:
        rows = [full_row_json(row) for row in page.rows]
        told = {"leaderboard": rows, "totalUsers": page.total, **told_of(self._world, board)}
        return msgspec.json.encode({"success": True, "data": told})[:-2]

    async def _own_line(self, board: BoardId, user_id: UserId) -> bytes:
        """One more field of what is said: how one stands, null where one has no rank."""
        try:
            found = await self._world.ask_board(board, RankOf(user_id, own=True))
        except NotRanked:
            return b',"currentUser":null'
        return b',"currentUser":%s' % msgspec.json.encode(_own(found.row))


def _own(row: Row) -> dict[str, Any]:
    return {"rank": row.rank, "userId": row.user_id, "username": row.username, "score": row.score}
