"""The files that shape the database, before any database is asked."""

from __future__ import annotations

from scoreboard.stores.migrate import FILE_NAME, migrations_in, shipped
from tests.house.sources import none_of


def test_migrations_are_numbered_without_twins_or_gaps() -> None:
    """Also when two were added side by side: every file is named as one, and has a number of its own."""
    none_of(entry.name for entry in shipped().iterdir() if not FILE_NAME.fullmatch(entry.name))
    migrations_in(shipped())
