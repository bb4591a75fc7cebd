"""What commands that list things have in common: their options, and how moments and foreign texts are printed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

json_option = click.option("--json", "as_json", is_flag=True, help="For programs.")
since_option = click.option(
    "--since", metavar="WHEN", default="24h", show_default=True, help="A time (ISO 8601), or 90m, 24h, 7d ago."
)
limit_option = click.option(
    "--limit", type=click.IntRange(1, 100_000), default=200, show_default=True, help="The newest so many."
)


def plain(text: str) -> str:
    """Without what would move the cursor of a terminal or turn its direction: a client may have sent it."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def iso(moment_us: int) -> str:
    """A moment as text, in UTC."""
    return (EPOCH + timedelta(microseconds=moment_us)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment_us(text: str) -> int:
    """A time in either form, as microseconds; raises a usage error."""
    unit = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}.get(text[-1:])
    try:
        if unit is not None:
            moment = datetime.now(UTC) - int(text[:-1]) * unit
        else:
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return (moment - EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError) as error:
        raise click.BadParameter("a time like 2026-01-31T12:00Z, or 90m, 24h, 7d", param_hint="--since") from error
