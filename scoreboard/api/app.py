"""Puts the routes together."""

from __future__ import annotations

from quart_trio import QuartTrio

from scoreboard.api import around, tickets
from scoreboard.api import batch as batches
from scoreboard.api.application import Application
from scoreboard.api.auth import AuthRoutes
from scoreboard.api.batch import BatchRoute
from scoreboard.api.files import FolderRoute
from scoreboard.api.granted import SessionsOfA, SessionsOfB
from scoreboard.api.operators import OperatorRoutes
from scoreboard.api.scores import ScoreRoutes
from scoreboard.api.top import TopRoute
from scoreboard.api.v1 import actions, archive, updates
from scoreboard.api.v1.boards import RANK_PATH, TOP_PATH, BoardRoutes
from scoreboard.api.v1.users import ME_PATH, PATH, UserRoutes
from scoreboard.api.world import ApiWorld


def create_app(world: ApiWorld) -> QuartTrio:
    """The REST of one server, ready for an ASGI server on Trio. Reads the page's files; holds nothing globally."""
    app = Application(world)
    _add_players(app, world)
    app.add_view("POST", tickets.PATH, tickets.TicketRoute(world).issue)
    _add_document_b(app, world)
    _add_operators(app, world)
    _add_files(app, world)
    return app


def _add_players(app: Application, world: ApiWorld) -> None:
    _add_auth(app, "/api/auth", AuthRoutes(world, SessionsOfA()))
    scores = ScoreRoutes(world)
    app.add_view("POST", "/api/actions/token", scores.issue_token)
    app.add_view("POST", "/api/scores/increment", scores.increment)
    batch = BatchRoute(world)
    app.add_view("POST", batches.PATH, batch.submit)
    app.allow_large(batches.PATH, batch.most_bytes)
    app.add_view("GET", "/api/scores/top", TopRoute(world).top)
    app.add_view("GET", "/api/scores/user/{userId}", scores.standing)
    app.add_view("GET", around.PATH, around.AroundRoute(world).around)


def _add_auth(app: Application, under: str, auth: AuthRoutes) -> None:
    app.add_view("POST", f"{under}/register", auth.register)
    app.add_view("POST", f"{under}/login", auth.login)
    app.add_view("POST", f"{under}/refresh", auth.refresh)
    app.add_view("POST", f"{under}/logout", auth.logout)


def _add_document_b(app: Application, world: ApiWorld) -> None:
    _add_auth(app, "/api/v1/auth", AuthRoutes(world, SessionsOfB()))
    done, users = actions.ActionRoutes(world), UserRoutes(world)
    app.add_view("GET", actions.CATALOGUE_PATH, done.catalogue)
    app.add_view("POST", actions.COMPLETE_PATH, done.complete)
    app.add_view("POST", updates.PATH, updates.UpdateRoute(world).update)
    boards = BoardRoutes(world)
    app.add_view("GET", TOP_PATH, boards.top)
    app.add_view("GET", RANK_PATH, boards.rank)
    app.add_view("GET", archive.PATH, archive.ArchiveRoute(world).archive)
    app.add_view("GET", ME_PATH, users.me)
    app.add_view("PATCH", ME_PATH, users.change)
    app.add_view("GET", PATH, users.user)


def _add_operators(app: Application, world: ApiWorld) -> None:
    operators = OperatorRoutes(world)
    app.add_view("GET", "/health", operators.health)
    app.add_view("GET", "/ready", operators.ready)
    app.add_view("GET", "/metrics", operators.metrics)
    app.add_view("GET", "/.well-known/jwks.json", operators.jwks)


def _add_files(app: Application, world: ApiWorld) -> None:
    page = FolderRoute(world.page_dir)
    app.add_view("GET", "/", page.index)
    app.add_view("GET", "/web/{name:path}", page.file)
    docs = FolderRoute(world.docs_dir)
    app.add_view("GET", "/docs", docs.contents)
    app.add_view("GET", "/docs/{name:path}", docs.file)
