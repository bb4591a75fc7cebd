"""Holds every answer that a test hears against what its route declares."""

from __future__ import annotations

from typing import Any

import msgspec

from scoreboard.api.answer import Answer
from scoreboard.api.application import Application
from scoreboard.api.dialects import speaks_b
from scoreboard.api.faults import faults_of
from scoreboard.api.request import ApiRequest
from scoreboard.api.route import Route
from scoreboard.api.shapes.parts import ErrorOfA, ErrorOfB
from scoreboard.api.shapes.scores import BatchResults, RowCounted, RowRefused


def hold_to_declarations(app: Application) -> None:
    """From now on every answer of the application is looked at."""
    inner, by_request = app.answer, {(route.method, route.path): route for route in app.routes.values()}

    async def answer(request: ApiRequest) -> Answer:
        answered = await inner(request)
        method = "GET" if request.method == "HEAD" else request.method
        route = by_request.get((method, request.route))
        if route is not None and route.shown:
            verify(route, answered)
        return answered

    app.answer = answer  # type: ignore[method-assign]


def verify(route: Route, answered: Answer) -> None:
    """Status, code, shape and headers are among those declared."""
    told = next((each for each in route.answers if each.status == answered.status), None)
    if told is None:
        assert _code_in(route, answered) in faults_of(route).get(answered.status, [])
        return
    assert any(_fits(answered.body, shape) for shape in told.shapes) or not told.shapes, answered.body[:500]
    sent = {name.decode() for name, _ in answered.headers} - {"content-type", "vary", "cache-control"}
    assert sent <= {name.lower() for name in told.headers}


def _code_in(route: Route, answered: Answer) -> str:
    if speaks_b(route.path):
        return msgspec.json.decode(answered.body, type=ErrorOfB).error.code
    return msgspec.json.decode(answered.body, type=ErrorOfA).code


def _fits(body: bytes, shape: Any) -> bool:
    try:
        told = msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError:
        return False
    if isinstance(getattr(told, "data", None), BatchResults):
        for row in told.data.results:
            msgspec.convert(row, RowCounted if row["success"] else RowRefused)
    return True
