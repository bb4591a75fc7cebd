"""What the machine gives."""

from __future__ import annotations

import uuid

from scoreboard.server.system import SystemIds


def test_ids_are_random_uuids() -> None:
    """Of version 4 and the standard's variant, each another one, written as Postgres writes them."""
    ids = [SystemIds().uuid() for _ in range(1000)]
    assert 1000 == len(set(ids))
    assert {(4, uuid.RFC_4122)} == {(uuid.UUID(each).version, uuid.UUID(each).variant) for each in ids}
    assert ids == [str(uuid.UUID(each)) for each in ids]
