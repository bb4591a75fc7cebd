"""Moments as both documents write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso(moment_us: int) -> str:
    """Microseconds since the epoch as ISO 8601 in UTC, exact to the millisecond: ``2025-12-01T10:30:00.000Z``."""
    moment = _EPOCH + timedelta(microseconds=moment_us)
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
