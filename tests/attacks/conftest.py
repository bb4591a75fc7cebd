"""What is attacked: a whole API over real actors."""

from tests.api.conftest import ring, world

__all__ = ["ring", "world"]
