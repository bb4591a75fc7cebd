"""A database in a file, and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from scoreboard.stores.backup import dump, restore
from tests.stores.test_migrate import connected

pytestmark = pytest.mark.stores

#: As the version of before has it, which did not name histories.
OLDER = "DROP TABLE histories; DELETE FROM schema_migrations WHERE number >= 26"


async def test_what_a_version_before_has_dumped_is_restored(postgres_url: str, empty_url: str, tmp_path: Path) -> None:
    """The migrations that it lacks come later; what is put right here must not need them."""
    async with connected(postgres_url) as run:
        await run(lambda connection: connection.execute(OLDER))
    assert await dump(postgres_url, tmp_path / "dump") == await restore(empty_url, tmp_path / "dump")


async def test_a_restored_database_is_another_history(postgres_url: str, empty_url: str, tmp_path: Path) -> None:
    """Also if its timeline has the same number: what the one of before has told since is of no use for it."""
    async with connected(postgres_url) as run:
        await run(lambda connection: connection.execute("INSERT INTO histories (timeline) VALUES ('00000001')"))
    await dump(postgres_url, tmp_path / "dump")
    await restore(empty_url, tmp_path / "dump")
    async with connected(empty_url) as run:
        assert 0 == await run(lambda connection: connection.fetchval("SELECT count(*) FROM histories"))
