"""What is wrong with settings that no single value shows."""

from __future__ import annotations

import re
from ipaddress import ip_network
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from scoreboard.settings import PREFIX, Door, Settings

POSTGRES_URLS = "postgresql://user:password@host:5432/database or postgresql://user:password@one,two/database"
#: Sentinels must be told of which service.
REDIS_URL = re.compile(r"(rediss?|unix)://|rediss?\+sentinel://[^/]+/[^/?]")
REDIS_URLS = "redis://:password@host:6379/0, redis://one,two/0 or redis+sentinel://:password@one,two/service"


def contradictions(settings: Settings) -> list[str]:
    """What is wrong that no single value shows, a sentence for each."""
    door, tokens, stores = settings.door, settings.tokens, settings.stores
    checks = (
        (
            door.connections_per_address > door.connections,
            f"SCOREBOARD_DOOR_CONNECTIONS_PER_ADDRESS must be at most SCOREBOARD_DOOR_CONNECTIONS ({door.connections})",
        ),
        (
            tokens.refresh_s < tokens.access_s,
            f"SCOREBOARD_TOKENS_REFRESH_S must not be less than SCOREBOARD_TOKENS_ACCESS_S ({tokens.access_s})",
        ),
        (
            not (stores.postgres_url or "postgresql://").startswith(("postgresql://", "postgres://")),
            f"SCOREBOARD_STORES_POSTGRES_URL must be like {POSTGRES_URLS}",
        ),
        (
            not (stores.postgres_replica_url or "postgresql://").startswith(("postgresql://", "postgres://")),
            f"SCOREBOARD_STORES_POSTGRES_REPLICA_URL must be like {POSTGRES_URLS}",
        ),
        (
            (door.certificate is None) != (door.private_key is None),
            "SCOREBOARD_DOOR_CERTIFICATE and SCOREBOARD_DOOR_PRIVATE_KEY go together",
        ),
        (
            (settings.captcha.url is None) != (settings.captcha.secret is None),
            "SCOREBOARD_CAPTCHA_URL and SCOREBOARD_CAPTCHA_SECRET go together",
        ),
        (
            not (settings.captcha.url or "https://").startswith(("https://", "http://")),
            "SCOREBOARD_CAPTCHA_URL must be like https://captcha.example/siteverify",
        ),
        (
            REDIS_URL.match(stores.redis_url or "redis://") is None,
            f"SCOREBOARD_STORES_REDIS_URL must be like {REDIS_URLS}",
        ),
    )
    return [sentence for wrong, sentence in checks if wrong] + _unknown_zones(settings) + _no_networks(door)


def _no_networks(door: Door) -> list[str]:
    return [
        f"{PREFIX}DOOR_PROXIES has {each!r}, but must be networks like 10.0.0.0/8, 2001:db8::/32"
        for each in door.proxy_networks
        if not _is_network(each)
    ]


def _is_network(text: str) -> bool:
    try:
        ip_network(text)
    except ValueError:
        return False
    return True


def _unknown_zones(settings: Settings) -> list[str]:
    named = {f"BOARDS_{name.upper()}": zone for name, zone in settings.boards.zones.items()}
    return [
        f"{PREFIX}{name} is {zone!r}, but must be a time zone like Europe/Berlin"
        for name, zone in (named | {"FRAUD_ZONE": settings.fraud.zone}).items()
        if not _is_zone(zone)
    ]


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # an unknown name, one that is a path, or a directory of zones
        return False
    return True
