"""What tests in more than one room need."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.stores_fixtures import empty_url, postgres_url, redis_url, store_servers

__all__ = ["empty_url", "postgres_url", "redis_url", "store_servers"]

# How fast a machine makes an example, or runs it, proves nothing. With CI=true Hypothesis knows that by itself, and
# then its examples are the same each time.
settings.register_profile("scoreboard", deadline=None, suppress_health_check=[HealthCheck.too_slow])
if settings.get_current_profile_name() == "default":
    settings.load_profile("scoreboard")

ROOMS = Path(__file__).parent
#: Whose files take long, the longest first. They begin before all others, so that at the end no process is left with
#: one of them while another has nothing to do.
LONG = ("faults", "simulation", "edge", "integration", "server", "browser", "replay", "attacks", "live", "clients")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bring the files of the long rooms to the front; within a room they keep their order."""
    items.sort(key=lambda item: _rank(item.path))


def _rank(path: Path) -> int:
    room = path.relative_to(ROOMS).parts[0] if path.is_relative_to(ROOMS) else ""
    return LONG.index(room) if room in LONG else len(LONG)
