"""Puts the routes together."""

from __future__ import annotations

from scoreboard.api import table
from scoreboard.api.application import Application
from scoreboard.api.world import ApiWorld


def create_app(world: ApiWorld) -> Application:
    """The REST of one server, ready for an ASGI server on Trio. Reads the page's files; holds nothing globally."""
    app = Application(world)
    for route in table.routes(world):
        app.add(route)
    return app
