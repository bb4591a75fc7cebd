"""REST: thin translators from HTTP to messages of the actors, and from what they answer to JSON."""

from scoreboard.api.app import create_app
from scoreboard.api.world import ApiWorld

__all__ = ["ApiWorld", "create_app"]
