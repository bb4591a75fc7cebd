"""Brings a database to the shape that this code expects: numbered SQL files, each applied once."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable

import asyncpg

# Any number will do, as long as all versions of this code take the same.
LOCK = 5_267_834_019
FILE_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
# Said in a file: code whose own last file has this number, or a later one, works on after this file was applied.
SURVIVED = re.compile(r"^-- Survived from (\d{4}) on\.$", re.MULTILINE)

PREPARE = """
SET LOCAL lock_timeout = '60s';
SET LOCAL statement_timeout = 0;
SELECT pg_advisory_xact_lock({lock});
SET LOCAL client_min_messages = warning;
CREATE TABLE IF NOT EXISTS schema_migrations (
    number     integer PRIMARY KEY,
    name       text NOT NULL,
    checksum   text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
ALTER TABLE schema_migrations ADD COLUMN IF NOT EXISTS survived_from integer;
SET LOCAL lock_timeout = '{wait_ms}ms'
"""
APPLIED = "SELECT number, name, checksum, coalesce(survived_from, number) AS survived_from FROM schema_migrations"
RECORD = "INSERT INTO schema_migrations (number, name, checksum, survived_from) VALUES ($1, $2, $3, $4)"


@dataclass(frozen=True, slots=True)
class Manners:
    """How a file waits for tables that others use. Who waits for one holds up all who come to it later.

    So the wait is short, `wait_ms`, and made again after `pause_s`, `attempts` times in all.
    """

    wait_ms: int = 2000
    attempts: int = 20
    pause_s: float = 1.0


class MigrationError(Exception):
    """Root of what migrating may raise; nothing was changed."""


class MigrationChanged(MigrationError):
    """A file was edited after it had been applied."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} was changed after it had been applied to this database; restore it, add a new file")
        self.name = name


class DatabaseTooNew(MigrationError):
    """The database was migrated by a newer version of this program, to what this one cannot work with."""

    def __init__(self, name: str) -> None:
        super().__init__(f"this database was migrated by a newer version, with {name}; run that version")
        self.name = name


class DatabaseTooOld(MigrationError):
    """It only reads, and lacks what this version works with."""

    def __init__(self, name: str) -> None:
        super().__init__(f"this Postgres only reads, and {name} was not applied to its primary yet: start the server")
        self.name = name


class DatabaseBusy(MigrationError):
    """Others have used a table all the time for longer than they should be made to wait."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} could not be applied: a long transaction holds what it changes; find it in pg_stat_activity, "
            "end it, and start again"
        )
        self.name = name


class MigrationsMisnumbered(MigrationError):
    """The files are not numbered 0001, 0002, ... without gaps."""


class MigrationFailed(MigrationError):
    """Postgres rejected a file."""

    def __init__(self, name: str, reason: object) -> None:
        super().__init__(f"{name} could not be applied: {reason}")
        self.name = name


@dataclass(frozen=True, slots=True)
class Migration:
    """One file. The checksum does not mind how lines end."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, as hex."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def survived_from(self) -> int:
        """The last file of the oldest code that works on after this one; unless the file says so, that is itself."""
        said = SURVIVED.search(self.sql)
        return int(said[1]) if said else self.number


def shipped() -> Traversable:
    """The directory with the files of this version."""
    return resources.files("scoreboard.stores") / "migrations"


def migrations_in(directory: Traversable) -> list[Migration]:
    """All files of a directory in order; raises MigrationsMisnumbered."""
    found = []
    for entry in sorted(directory.iterdir(), key=lambda entry: entry.name):
        if match := FILE_NAME.fullmatch(entry.name):
            text = entry.read_bytes().decode().replace("\r\n", "\n")
            found.append(Migration(int(match[1]), entry.name, text))
    numbers = [migration.number for migration in found]
    if numbers != list(range(1, len(found) + 1)):
        raise MigrationsMisnumbered(f"the migrations are numbered {numbers}")
    return found


@dataclass(frozen=True, slots=True)
class Applied:
    """What a database says of one file that was applied to it."""

    number: int
    name: str
    checksum: str
    survived_from: int


def pending(files: list[Migration], applied: list[Applied]) -> list[Migration]:
    """Which files are still to be applied; raises MigrationChanged and DatabaseTooNew."""
    before = {file.number: file for file in applied}
    for file in applied:
        if file.number > len(files) and file.survived_from > len(files):
            raise DatabaseTooNew(file.name)
    for migration in files:
        if migration.number in before and before[migration.number].checksum != migration.checksum:
            raise MigrationChanged(migration.name)
    return [migration for migration in files if migration.number not in before]


async def migrate(
    connection: asyncpg.Connection, directory: Traversable | None = None, manners: Manners = Manners()
) -> list[str]:
    """Apply what is missing, in one transaction under a lock; returns the names. For asyncio.

    Several at once are safe: one applies, the others find nothing left to do. Servers may be at work meanwhile. Raises
    MigrationError.
    """
    files = migrations_in(directory or shipped())
    for _ in range(manners.attempts - 1):
        with contextlib.suppress(DatabaseBusy):
            return await _migrate(connection, files, manners.wait_ms)
        await asyncio.sleep(manners.pause_s)
    return await _migrate(connection, files, manners.wait_ms)


async def look(connection: asyncpg.Connection, directory: Traversable | None = None) -> None:
    """See whether nothing is missing where nothing can be applied. For asyncio; raises MigrationError."""
    missing = await _missing(connection, migrations_in(directory or shipped()))
    if missing:
        raise DatabaseTooOld(missing[0].name)


async def _missing(connection: asyncpg.Connection, files: list[Migration]) -> list[Migration]:
    rows = await connection.fetch(f"{APPLIED} ORDER BY number")
    return pending(files, [Applied(**row) for row in rows])


async def _migrate(connection: asyncpg.Connection, files: list[Migration], wait_ms: int) -> list[str]:
    async with connection.transaction():
        await connection.execute(PREPARE.format(lock=LOCK, wait_ms=wait_ms), timeout=90)
        missing = await _missing(connection, files)
        for migration in missing:
            await _apply(connection, migration)
    return [migration.name for migration in missing]


async def _apply(connection: asyncpg.Connection, migration: Migration) -> None:
    try:
        await connection.execute(migration.sql, timeout=600)
    except asyncpg.LockNotAvailableError as error:
        raise DatabaseBusy(migration.name) from error
    except asyncpg.PostgresError as error:
        raise MigrationFailed(migration.name, error) from error
    await connection.execute(RECORD, migration.number, migration.name, migration.checksum, migration.survived_from)
