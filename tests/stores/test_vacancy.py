"""A database that is restored into: as it was, if that fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

from scoreboard.stores.backup import BackupError, dump, restore
from scoreboard.stores.vacancy import ASIDE, COME_BACK, STAND_ASIDE, vacated
from tests.stores.test_migrate import connected

pytestmark = pytest.mark.stores

OURS = "CREATE TABLE ours (x int); INSERT INTO ours VALUES (7); CREATE FUNCTION our_own() RETURNS int RETURN 7"
IN_IT = """
SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT nspname FROM pg_namespace WHERE nspname = $1 ORDER BY 1
"""


async def sql(url: str, text: str) -> None:
    """By hand."""
    async with connected(url) as run:
        await run(lambda connection: connection.execute(text))


async def held(url: str) -> list[str]:
    """Tables and routines, and whether something stands aside."""
    async with connected(url) as run:
        rows: list[Any] = await run(lambda connection: connection.fetch(IN_IT, ASIDE))
        return [row[0] for row in rows]


async def test_a_database_that_was_empty_is_empty_again_when_a_restore_into_it_fails_at_its_end(
    postgres_url: str, empty_url: str, tmp_path: Path
) -> None:
    """Whatever came is gone; a routine that was there stays, and the next try finds all as the first one did."""
    await sql(empty_url, "CREATE FUNCTION our_own() RETURNS int RETURN 7")
    whole = await dump(postgres_url, tmp_path / "dump")
    for _ in range(2):
        with pytest.raises(BackupError, match="not what it was"):
            async with vacated(empty_url, clear=False):
                await restore(empty_url, tmp_path / "dump")
                raise BackupError("not what it was")
        assert ["our_own"] == await held(empty_url)
    async with vacated(empty_url, clear=False):
        assert whole == await restore(empty_url, tmp_path / "dump")
    assert "users" in await held(empty_url)


async def test_what_is_to_be_cleared_comes_back_when_the_restore_fails_and_goes_when_it_is_done(
    postgres_url: str, empty_url: str, tmp_path: Path
) -> None:
    """Nothing of it is gone before the other is right; who leaves off gets it back too."""
    await sql(empty_url, OURS)
    await dump(postgres_url, tmp_path / "dump")
    with pytest.raises(BackupError, match="is not empty"):
        async with vacated(empty_url, clear=False):
            raise AssertionError("not reached")
    with trio.CancelScope() as leaving_off:
        async with vacated(empty_url, clear=True):
            await restore(empty_url, tmp_path / "dump")
            leaving_off.cancel()
            await trio.lowlevel.checkpoint()
    assert ["our_own", "ours"] == await held(empty_url)
    async with vacated(empty_url, clear=True):
        await restore(empty_url, tmp_path / "dump")
    assert {"ours", ASIDE} & set(await held(empty_url)) == set()


async def test_what_a_killed_restore_left_aside_is_told_and_not_touched(empty_url: str) -> None:
    """Whether the old or the new is to stay, the operator knows; the sentence has the commands for both."""
    await sql(empty_url, OURS)
    await sql(empty_url, STAND_ASIDE)
    for clear in (False, True):
        with pytest.raises(BackupError, match=f"stands in the schema {ASIDE}. To have that back: {COME_BACK}"):
            async with vacated(empty_url, clear=clear):
                raise AssertionError("not reached")
    await sql(empty_url, COME_BACK)
    assert ["our_own", "ours"] == await held(empty_url)


async def test_what_cannot_be_put_back_is_told_with_what_to_do(empty_url: str) -> None:
    """Here because what stood aside is gone; Postgres may be away as well."""
    await sql(empty_url, OURS)
    with pytest.raises(BackupError, match=rf"is in the database \({COME_BACK}\)\. .* for this: first"):
        async with vacated(empty_url, clear=True):
            await sql(empty_url, f"DROP SCHEMA {ASIDE} CASCADE")
            raise BackupError("first")
