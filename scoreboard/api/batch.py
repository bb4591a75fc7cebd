"""``POST /api/v1/scores/batch``: many scores of a game's server at once, each with a result of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import msgspec
from msgspec import Struct

from actors.audit.messages import Denied
from actors.ports import Source
from actors.service.messages import RowResult, RowScored, ScoreRow, Submit
from scoreboard.api.answer import JSON, NO_STORE, Answer
from scoreboard.api.batch_body import MOST_BYTES, BadRow, rows_of
from scoreboard.api.bearer import service_of
from scoreboard.api.body import require_json
from scoreboard.api.errors import ApiError
from scoreboard.api.request import ApiRequest
from scoreboard.api.world import ApiWorld
from scoreboard.security.errors import TokenRefused
from scoreboard.wire.times import iso

PATH = "/api/v1/scores/batch"


class _Scored(Struct, rename="camel", gc=False):
    action_id: str
    user_id: str
    success: bool
    new_score: int
    previous_rank: int | None
    new_rank: int | None
    repeated: bool


class _Why(Struct, gc=False):
    code: str
    message: str


class _Refused(Struct, rename="camel"):
    action_id: str | None
    user_id: str | None
    success: bool
    error: _Why


_Result = _Scored | _Refused
_encode = msgspec.json.Encoder().encode
_why = lru_cache(maxsize=64)(_Why)


class BatchRoute:
    """Reads the rows, has the service's actor judge them, and tells what became of each, in their order."""

    def __init__(self, world: ApiWorld) -> None:
        self._world = world

    def most_bytes(self, request: ApiRequest) -> int:
        """A whole batch is read from a service only: a stranger may not fill the memory with them."""
        try:
            service_of(request, self._world.tokens)
        except (ApiError, TokenRefused):
            return self._world.body_bytes
        return max(MOST_BYTES, self._world.body_bytes)

    def read(self, request: ApiRequest) -> list[ScoreRow | BadRow]:
        """The rows, also malformed ones; raises ApiError when the body as a whole is none."""
        require_json(request)
        return rows_of(request.raw_body)

    async def submit(self, request: ApiRequest) -> Answer:
        """Answered when all rows that count are on disk."""
        world, name = self._world, request.caller.username
        rows: Sequence[ScoreRow | BadRow] = request.body
        good = [row for row in rows if isinstance(row, ScoreRow)]
        wish = Submit(good, _source(name, request.came_from()))
        results = await world.services.ask(name, wish, within=world.write_within_s)
        told = [_told(result) for result in results]
        if len(good) < len(rows):
            told = _with_bad_rows(rows, told)
        self._tell_audit(request, told)
        return _answer(told, world.clock.now_us())

    def _tell_audit(self, request: ApiRequest, told: Sequence[_Result]) -> None:
        """The rows that were refused, counted by their codes: the answer as a whole is none that refuses."""
        world, refused = self._world, [each.error for each in told if isinstance(each, _Refused)]
        by, now_us = f"service:{request.caller.username}", world.clock.now_us()
        for code, times in Counter(why.code for why in refused).items():
            source, site = request.came_from(), f"{request.method} {request.route} row"
            world.denied(Denied(code, site, now_us, None, source, None, request.request_id, by, times))


def _source(name: str, source: Source) -> Source:
    """The audit shall know which service it was."""
    return Source(source.address, f"service {name}; {source.user_agent or ''}", service=True)


def _told(result: RowResult) -> _Result:
    if isinstance(result, RowScored):
        action_id, user_id, score, previous_rank, rank, repeated = result
        return _Scored(action_id, user_id, True, score, previous_rank, rank, repeated)
    return _Refused(result.action_id, result.user_id, False, _why(result.code, result.message))


def _with_bad_rows(rows: Sequence[ScoreRow | BadRow], told: list[_Result]) -> list[_Result]:
    good = iter(told)
    return [
        _Refused(row.action_id, row.user_id, False, _Why("INVALID_INPUT", row.message))
        if isinstance(row, BadRow)
        else next(good)
        for row in rows
    ]


def _answer(told: list[_Result], now_us: int) -> Answer:
    counted = sum(isinstance(each, _Scored) and not each.repeated for each in told)
    repeated = sum(isinstance(each, _Scored) and each.repeated for each in told)
    data = {
        "results": told,
        "counted": counted,
        "repeated": repeated,
        "refused": len(told) - counted - repeated,
        "timestamp": iso(now_us),
    }
    body = _encode({"success": True, "data": data, "message": f"{counted} of {len(told)} scores counted"})
    return Answer(200, body, (JSON, NO_STORE))
