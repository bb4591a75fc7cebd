"""``GET /api/v1/leaderboard/archive``: periods that are over, and who stood where."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from actors.ports import ArchivedPeriod, ArchivedRow, Period
from scoreboard.api.answer import Answer
from scoreboard.api.dialects import succeeded
from scoreboard.api.errors import ApiError, invalid_input
from scoreboard.api.query import Matching
from scoreboard.api.request import ApiRequest
from scoreboard.api.v1.scopes import CLOSING_PERIODS, PAGE, Country
from scoreboard.api.world import ApiWorld
from scoreboard.wire.rows import FullRowJson
from scoreboard.wire.times import iso

PATH = "/api/v1/leaderboard/archive"
LABEL = Matching(re.compile(r"[0-9]{4}-(W[0-9]{2}|[0-9]{2}(-[0-9]{2})?)"), "like 2026-11-22, 2026-W47 or 2026-11")
PARAMETERS = {**PAGE, "period": CLOSING_PERIODS, "label": LABEL, "country": Country()}

R = TypeVar("R")


class ArchiveRoute:
    """Without a `label` the periods, the newest first; with one its rows."""

    def __init__(self, world: ApiWorld) -> None:
        self._world = world

    async def archive(self, request: ApiRequest) -> Answer:
        """What is final never changes again."""
        asked = request.asked
        period = Period[asked["period"]]
        if asked["label"] is None:
            return await self._periods(period, asked)
        return await self._page(period, asked)

    async def _periods(self, period: Period, asked: Mapping[str, Any]) -> Answer:
        if asked["country"] is not None:
            raise invalid_input("A country goes with a label only.", field="country")
        archive = self._world.archive
        found = await self._world.read(archive.periods(period, limit=asked["limit"], offset=asked["offset"]))
        return succeeded({"periods": [_period(each) for each in found], "period": asked["period"]})

    async def _page(self, period: Period, asked: Mapping[str, Any]) -> Answer:
        window: dict[str, Any] = {name: asked[name] for name in ("limit", "offset", "country")}
        page = await self._world.read(self._world.archive.page(period, asked["label"], **window))
        if page is None:
            message = "Nothing was scored in that period, or it is not over yet."
            raise ApiError(404, "Not found", "NOT_FOUND", message, details={"label": asked["label"]})
        told = {"leaderboard": [_row(row) for row in page.rows], "totalUsers": page.total, **_period(page.of)}
        return succeeded(told if asked["country"] is None else {**told, "country": asked["country"]})


def _period(of: ArchivedPeriod) -> dict[str, Any]:
    return {
        "period": of.period.name,
        "label": of.span.label,
        "startsAt": iso(of.span.start_us),
        "endsAt": iso(of.span.end_us),
        "final": of.final,
        "players": of.players,
    }


def _row(row: ArchivedRow) -> FullRowJson:
    reached = iso(row.reached_us)
    return FullRowJson(row.rank, row.user_id, row.username, row.score, row.avatar, row.country, reached)
