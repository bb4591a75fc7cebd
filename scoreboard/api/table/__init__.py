"""All routes, each declared once."""

from __future__ import annotations

from scoreboard.api.route import Route
from scoreboard.api.table import accounts, admin, boards, described, operators, scores, sessions, users
from scoreboard.api.world import ApiWorld


def routes(world: ApiWorld) -> tuple[Route, ...]:
    """What one server serves over REST, in the order in which it is described. Reads files."""
    rooms = (accounts, sessions, scores, boards, users, admin, operators)
    declared = [route for room in rooms for route in room.routes(world)]
    return (*declared, *described.routes(world, declared))
