"""The composition root: the only room where door, api, live, stores and actors meet."""

from scoreboard.server import collector
from scoreboard.server.compose import BOARD_LOAD_S, Server, serve

__all__ = ["BOARD_LOAD_S", "Server", "collector", "serve"]
