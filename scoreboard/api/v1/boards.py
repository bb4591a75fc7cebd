"""``/api/v1/leaderboard``: pages of every board, and where one player stands on it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from actors.leaderboard.events import Row
from actors.leaderboard.messages import NotRanked, Page, PageAnswer, Standing, StandingAnswer
from actors.ports import BoardId, UserId
from scoreboard.api.answer import JSON, Answer, Headers, matches
from scoreboard.api.dialects import succeeded
from scoreboard.api.request import ApiRequest
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

    async def top(self, request: ApiRequest) -> Answer:
        """`limit` rows behind the first `offset`, and one's own line for who is signed in."""
        asked = request.asked
        world, caller = self._world, request.caller
        board = board_in(asked)
        page = self._published(board, asked)
        if page is None:
            page = await world.ask_board(board, Page(asked["limit"], asked["offset"]))
        told: dict[str, Any] = {"leaderboard": [full_row_json(row) for row in page.rows]}
        if caller is not None:
            own = await self._standing(board, UserId(caller.user_id))
            told["currentUser"] = None if own is None else _own(own.row)
        told |= {"totalUsers": page.total, **told_of(world, board, asked)}
        return _dated(request, told, world.clock.now_us(), SHARED if caller is None else PRIVATE)

    async def rank(self, request: ApiRequest, userId: str) -> Answer:  # noqa: N803 - as document B spells it
        """One player's line, and the share of players who stand no higher."""
        asked = request.asked
        board = board_in(asked)
        found = await self._world.ask_board(board, Standing(UserId(userId.lower())))
        row = msgspec.structs.asdict(full_row_json(found.row))
        about = told_of(self._world, board, asked)
        return succeeded({**row, "percentile": found.percentile, "totalUsers": found.total, **about})

    def _published(self, board: BoardId, asked: Mapping[str, Any]) -> PageAnswer | None:
        """From the view, if it holds these rows."""
        view = self._world.published.get(board)
        end = asked["offset"] + asked["limit"]
        if view is None or end > len(view.rows) < view.total:
            return None
        return PageAnswer(view.rows[asked["offset"] : end], view.total)

    async def _standing(self, board: BoardId, user_id: UserId) -> StandingAnswer | None:
        try:
            return await self._world.ask_board(board, Standing(user_id))
        except NotRanked:
            return None


def _own(row: Row) -> dict[str, Any]:
    return {"rank": row.rank, "userId": row.user_id, "username": row.username, "score": row.score}


def _dated(request: ApiRequest, told: dict[str, Any], now_us: int, headers: Headers) -> Answer:
    """The answer with its date, which its entity tag does not cover; or that the client has it already."""
    body = msgspec.json.encode({"success": True, "data": told})
    etag = b'W/"%s"' % hashlib.blake2b(body, digest_size=12).hexdigest().encode()
    headers = ((b"etag", etag), *headers)
    if matches(request.header(b"if-none-match"), etag):
        return Answer(304, b"", headers)
    return Answer(200, b'%s,"generatedAt":"%s"}}' % (body[:-2], iso(now_us).encode()), (JSON, *headers))
