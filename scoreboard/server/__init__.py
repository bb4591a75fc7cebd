"""The composition root: the only room where door, api, live, stores and actors meet."""

from scoreboard.server import collector
from scoreboard.server.compose import Server, serve
from scoreboard.server.housekeeping import BOARD_LOAD_S

__all__ = ["BOARD_LOAD_S", "Server", "collector", "serve"]
