"""Stores as tests open them: under one master key."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any

from scoreboard.security.personal import PersonalVault
from scoreboard.stores.opening import Stores
from scoreboard.stores.opening import open_stores as open_with_vault

#: Of all databases of tests.
MASTER = bytes(range(32))


def open_stores(postgres_url: str, redis_url: str, **wanted: Any) -> AbstractAsyncContextManager[Stores]:
    """Stores under the master key of tests."""
    return open_with_vault(postgres_url, redis_url, PersonalVault(lambda: (MASTER,)), **wanted)
