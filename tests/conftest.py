"""What tests in more than one room need."""

from hypothesis import HealthCheck, settings

from tests.stores_fixtures import empty_url, postgres_url, redis_url, store_servers

__all__ = ["empty_url", "postgres_url", "redis_url", "store_servers"]

# How fast a machine makes an example, or runs it, proves nothing. With CI=true Hypothesis knows that by itself, and
# then its examples are the same each time.
settings.register_profile("scoreboard", deadline=None, suppress_health_check=[HealthCheck.too_slow])
if settings.get_current_profile_name() == "default":
    settings.load_profile("scoreboard")
