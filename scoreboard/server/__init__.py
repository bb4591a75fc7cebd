"""The composition root: the only room where door, api, live, stores and actors meet."""

from scoreboard.server.compose import Server, serve

__all__ = ["Server", "serve"]
