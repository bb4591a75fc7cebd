"""The description of all routes, made from them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec

from scoreboard.api import openapi
from scoreboard.api.answer import Answer
from scoreboard.api.files import FolderRoute, file_of
from scoreboard.api.request import ApiRequest
from scoreboard.api.route import Access, Route
from scoreboard.api.world import ApiWorld

OPENAPI_PATH = "/api/openapi.json"
ASYNCAPI_PATH = "/api/asyncapi.json"
DOCS_PATH = "/api/docs"
PAGE = "api.html"
RENDERER = ("swagger-ui-bundle.js", "swagger-ui.css")

_route = partial(Route, "GET", query=None, shown=False, access=Access.ANYBODY)


def routes(world: ApiWorld, declared: Sequence[Route]) -> Iterator[Route]:
    """The same bytes for everybody until the server starts anew."""
    page, renderer = FolderRoute(world.page_dir), FolderRoute(renderer_dir(), RENDERER)
    yield _route(ASYNCAPI_PATH, _served(world.live_feed), "What the live feed says and hears.")
    yield _route(DOCS_PATH, page.shown(PAGE), "A page to try the API on.")
    yield _route(f"{DOCS_PATH}/{{name:path}}", renderer.file, "A file of that page.")
    yield _route(OPENAPI_PATH, _served(openapi.document(declared)), "This description.")


def renderer_dir() -> Path:
    """Where the wheel has the files of Swagger UI; nothing of it is imported."""
    found = find_spec("flask_swagger_ui")
    if found is None or not found.submodule_search_locations:
        raise FileNotFoundError("flask-swagger-ui is not installed; it comes with this package")
    return Path(found.submodule_search_locations[0], "dist")


def _served(value: Any) -> Callable[[ApiRequest], Awaitable[Answer]]:
    file = file_of(msgspec.json.encode(value), b"application/json")

    async def view(request: ApiRequest) -> Answer:
        return file.answer(request)

    return view
