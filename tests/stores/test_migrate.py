from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import trio
import trio_asyncio

from scoreboard.stores.migrate import (
    DatabaseBusy,
    DatabaseTooNew,
    Manners,
    MigrationChanged,
    MigrationFailed,
    MigrationsMisnumbered,
    migrate,
    migrations_in,
    shipped,
)

pytestmark = pytest.mark.stores


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Two small migrations, free to be changed."""
    (tmp_path / "0001_first.sql").write_text("CREATE TABLE first (x int);\n")
    (tmp_path / "0002_second.sql").write_text("INSERT INTO first VALUES (1);\nINSERT INTO first VALUES (2);\n")
    (tmp_path / "README").write_text("not a migration")
    return tmp_path


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Any]:
    """A function that runs asyncio functions with a connection of their own."""
    async with trio_asyncio.open_loop() as loop:

        async def run(work: Any) -> Any:
            async def unit() -> Any:
                connection = await asyncpg.connect(url)
                try:
                    return await work(connection)
                finally:
                    await connection.close()

            return await loop.run_aio_coroutine(unit())

        yield run


async def test_each_file_is_applied_once_and_in_order(empty_url: str, files: Path) -> None:
    """A second run finds nothing to do, a new file alone is applied."""
    async with connected(empty_url) as run:
        assert ["0001_first.sql", "0002_second.sql"] == await run(lambda c: migrate(c, files))
        assert [] == await run(lambda c: migrate(c, files))
        (files / "0003_third.sql").write_text("INSERT INTO first VALUES (3);\n")
        assert ["0003_third.sql"] == await run(lambda c: migrate(c, files))
        assert 6 == await run(lambda c: c.fetchval("SELECT sum(x) FROM first"))


async def test_a_changed_file_is_named_and_nothing_is_done(empty_url: str, files: Path) -> None:
    """Not even what is new. Other ends of lines are no change."""
    async with connected(empty_url) as run:
        await run(lambda c: migrate(c, files))
        text = (files / "0002_second.sql").read_bytes()
        (files / "0002_second.sql").write_bytes(text.replace(b"\n", b"\r\n"))
        assert [] == await run(lambda c: migrate(c, files))
        (files / "0002_second.sql").write_text("INSERT INTO first VALUES (9);")
        (files / "0003_third.sql").write_text("CREATE TABLE third ();")
        with pytest.raises(MigrationChanged, match=r"0002_second\.sql was changed"):
            await run(lambda c: migrate(c, files))
        assert await run(lambda c: c.fetchval("SELECT to_regclass('third') IS NULL"))


async def test_a_database_of_a_newer_version_is_left_alone(empty_url: str, files: Path) -> None:
    """The error names what it knows and we do not."""
    async with connected(empty_url) as run:
        await run(lambda c: migrate(c, files))
        (files / "0002_second.sql").unlink()
        with pytest.raises(DatabaseTooNew, match=r"newer version, with 0002_second\.sql"):
            await run(lambda c: migrate(c, files))


async def test_a_version_that_survives_a_newer_file_works_on(empty_url: str, files: Path) -> None:
    """The file says from which one on. One before that is refused, as is any where a file says nothing."""
    (files / "0003_third.sql").write_text("-- A table.\n-- Survived from 0002 on.\nCREATE TABLE third ();\n")
    async with connected(empty_url) as run:
        await run(lambda c: migrate(c, files))
        (files / "0003_third.sql").unlink()
        assert [] == await run(lambda c: migrate(c, files))
        (files / "0002_second.sql").unlink()
        with pytest.raises(DatabaseTooNew, match=r"0002_second\.sql"):
            await run(lambda c: migrate(c, files))


async def test_who_works_meanwhile_waits_shortly(empty_url: str, files: Path) -> None:
    """A long transaction holds a table: the file lets those behind it pass, tries again, and says what is to blame."""
    async with connected(empty_url) as run:
        await run(lambda c: migrate(c, files))
        (files / "0003_third.sql").write_text("ALTER TABLE first ADD COLUMN y int;\n")

        async def held(connection: asyncpg.Connection) -> None:
            async with connection.transaction():
                await connection.execute("SELECT * FROM first")
                with pytest.raises(DatabaseBusy, match=r"0003_third\.sql could not .* a long transaction"):
                    await beside(empty_url, files)

        await run(held)
        assert ["0003_third.sql"] == await run(lambda c: migrate(c, files))


async def beside(url: str, files: Path) -> None:
    """Migrates with a connection of its own. For asyncio."""
    connection = await asyncpg.connect(url)
    try:
        await migrate(connection, files, Manners(wait_ms=100, attempts=2, pause_s=0.0))
    finally:
        await connection.close()


async def test_a_failing_file_leaves_nothing_of_the_run(empty_url: str, files: Path) -> None:
    """All or nothing, so that it can be mended and run again."""
    (files / "0003_third.sql").write_text("SELECT no_such_function();")
    async with connected(empty_url) as run:
        with pytest.raises(MigrationFailed, match=r"0003_third\.sql could not be applied: function no_such_function"):
            await run(lambda c: migrate(c, files))
        (files / "0003_third.sql").unlink()
        assert 2 == len(await run(lambda c: migrate(c, files)))


async def test_several_runners_at_once_apply_each_file_once(empty_url: str, files: Path) -> None:
    """As workers that start together; one does it, the others wait and find it done."""
    done: list[list[str]] = []
    async with connected(empty_url) as run, trio.open_nursery() as nursery:

        async def one() -> None:
            done.append(await run(lambda c: migrate(c, files)))

        for _ in range(5):
            nursery.start_soon(one)
    assert [[]] * 4 + [["0001_first.sql", "0002_second.sql"]] == sorted(done)


async def test_the_shipped_files_fit_an_empty_database(empty_url: str, tmp_path: Path) -> None:
    """All of them, also from elsewhere, as from an unpacked archive; they bring the actions of both documents."""
    for entry in shipped().iterdir():
        shutil.copy(str(entry), tmp_path)
    async with connected(empty_url) as run:
        assert len(migrations_in(shipped())) == len(await run(lambda c: migrate(c, tmp_path)))
        assert [] == await run(migrate)
        catalogue = [("ACHIEVEMENT_UNLOCK", 25), ("COMPLETE_QUEST", 50), ("INCREMENT", 1), ("WIN_GAME", 100)]
        assert catalogue == await run(lambda c: c.fetch("SELECT action_type, base_points FROM actions ORDER BY 1"))


@pytest.mark.parametrize("name", ["0002_second.sql", "0004_fourth.sql"])
def test_numbers_without_gaps_and_twins_are_required(files: Path, name: str) -> None:
    """A lost or doubled number is a mistake of ours, found before anything runs."""
    (files / name).rename(files / "0001_twin.sql") if (files / name).exists() else (files / name).touch()
    with pytest.raises(MigrationsMisnumbered):
        migrations_in(files)
