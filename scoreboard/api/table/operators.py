"""For operators and programs: health, metrics, keys; and the page with its files."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from scoreboard.api.files import FolderRoute
from scoreboard.api.operators import OperatorRoutes
from scoreboard.api.route import Access, Route, Told
from scoreboard.api.shapes import operators as shapes
from scoreboard.api.world import ApiWorld

#: Their query is nobody's business: probes and browsers add what they like.
_route = partial(Route, "GET", query=None, access=Access.ANYBODY)


def routes(world: ApiWorld) -> Iterator[Route]:
    """What no document names."""
    yield from _programs(world)
    yield from _files(world)


def _programs(world: ApiWorld) -> Iterator[Route]:
    operators = OperatorRoutes(world)
    lives, ready, keys = Told(shapes.Health), Told(shapes.Readiness), Told(shapes.KeySet, headers=("Cache-Control",))
    missing = Told(shapes.NotReady, 503, headers=("Retry-After",))
    yield _route("/health", operators.health, "Whether the process lives.", (lives,))
    yield _route("/ready", operators.ready, "Whether everything that the server needs is there.", (ready, missing))
    yield _route("/metrics", operators.metrics, "What is counted, for Prometheus.", (Told(None, media="text/plain"),))
    yield _route("/.well-known/jwks.json", operators.jwks, "The public keys of access tokens.", (keys,))


def _files(world: ApiWorld) -> Iterator[Route]:
    page, docs = FolderRoute(world.page_dir), FolderRoute(world.docs_dir)
    yield _route("/", page.index, "The page that people look at.", shown=False)
    yield _route("/web/{name:path}", page.file, "A file of the page.", shown=False)
    yield _route("/docs", docs.contents, "The addresses of the documents.", shown=False)
    yield _route("/docs/{name:path}", docs.file, "A document.", shown=False)
