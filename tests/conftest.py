"""What tests in more than one room need."""

from tests.stores_fixtures import postgres_url, redis_url, store_servers

__all__ = ["postgres_url", "redis_url", "store_servers"]
