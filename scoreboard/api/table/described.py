"""The description of all routes, made from them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

import msgspec

from scoreboard.api import openapi
from scoreboard.api.answer import Answer
from scoreboard.api.files import file_of
from scoreboard.api.request import ApiRequest
from scoreboard.api.route import Route

OPENAPI_PATH = "/api/openapi.json"


def routes(declared: Sequence[Route]) -> Iterator[Route]:
    """The same bytes for everybody until the server starts anew."""
    openapi_view = _served(openapi.document(declared))
    yield Route("GET", OPENAPI_PATH, openapi_view, "This description.", query=None, shown=False)


def _served(value: Any) -> Callable[[ApiRequest], Awaitable[Answer]]:
    file = file_of(msgspec.json.encode(value), b"application/json")

    async def view(request: ApiRequest) -> Answer:
        return file.answer(request)

    return view
