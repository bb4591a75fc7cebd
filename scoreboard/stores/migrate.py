"""Brings a database to the shape that this code expects: numbered SQL files, each applied once."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable

import asyncpg

# Any number will do, as long as all versions of this code take the same.
LOCK = 5_267_834_019
FILE_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")

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
)
"""


class MigrationError(Exception):
    """Root of what migrating may raise; nothing was changed."""


class MigrationChanged(MigrationError):
    """A file was edited after it had been applied."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} was changed after it had been applied to this database; restore it, add a new file")
        self.name = name


class DatabaseTooNew(MigrationError):
    """The database was migrated by a newer version of this program."""

    def __init__(self, name: str) -> None:
        super().__init__(f"this database was migrated by a newer version, with {name}; run that version")
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


def pending(files: list[Migration], applied: dict[int, tuple[str, str]]) -> list[Migration]:
    """Which files are still to be applied; raises MigrationChanged and DatabaseTooNew.

    `applied` has the name and the checksum for each number.
    """
    for number, (name, _) in applied.items():
        if number > len(files):
            raise DatabaseTooNew(name)
    for migration in files:
        if migration.number in applied and applied[migration.number][1] != migration.checksum:
            raise MigrationChanged(migration.name)
    return [migration for migration in files if migration.number not in applied]


async def migrate(connection: asyncpg.Connection, directory: Traversable | None = None) -> list[str]:
    """Apply what is missing, in one transaction under a lock; returns the names. For asyncio.

    Several at once are safe: one applies, the others find nothing left to do.
    """
    files = migrations_in(directory or shipped())
    async with connection.transaction():
        await connection.execute(PREPARE.format(lock=LOCK), timeout=90)
        rows = await connection.fetch("SELECT number, name, checksum FROM schema_migrations ORDER BY number")
        missing = pending(files, {row["number"]: (row["name"], row["checksum"]) for row in rows})
        for migration in missing:
            await _apply(connection, migration)
    return [migration.name for migration in missing]


async def _apply(connection: asyncpg.Connection, migration: Migration) -> None:
    try:
        await connection.execute(migration.sql, timeout=600)
    except asyncpg.PostgresError as error:
        raise MigrationFailed(migration.name, error) from error
    record = "INSERT INTO schema_migrations (number, name, checksum) VALUES ($1, $2, $3)"
    await connection.execute(record, migration.number, migration.name, migration.checksum)
