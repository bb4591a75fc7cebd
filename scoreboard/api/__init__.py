"""REST: thin translators from HTTP to messages of the actors, and from what they answer to JSON."""

from scoreboard.api.app import create_app
from scoreboard.api.services import Services

__all__ = ["Services", "create_app"]
