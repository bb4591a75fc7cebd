"""The board, and the rule by which frames change it. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Any

from scoreboard.client.channels import is_around


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a board. `rank` counts from 1; `last_updated` is ISO 8601 in UTC."""

    rank: int
    user_id: str
    username: str
    score: int
    last_updated: str | None = None
    country: str | None = None
    avatar: str | None = None


@dataclass(frozen=True, slots=True)
class View:
    """A channel's board at one moment: its rows in order of rank.

    `resets_at` says on the board of a period when that ends. A polled view has neither epoch nor version, so that no
    diff fits it: the socket begins with a full update.
    """

    channel: str
    epoch: str | None = None
    version: int = 0
    rows: tuple[Row, ...] = ()
    total_users: int = 0
    changed_at: str | None = None
    resets_at: str | None = None


class Verdict(Enum):
    """What became of a frame."""

    APPLIED = auto()
    IGNORED = auto()  # older than what we have
    BEHIND = auto()  # does not fit (a gap, another epoch, a wrong checksum, a malformed row): ask for a full update


def apply_full(view: View, data: Mapping[str, Any]) -> tuple[Verdict, View]:
    """A ``leaderboard.update`` replaces everything. BEHIND means that the frame itself is damaged."""
    rows = _in_order(_rows(data.get("leaderboard")), view.channel)
    epoch, version = data.get("epoch"), data.get("version")
    if rows is None or not _check_holds(rows, data.get("check")) or not isinstance(version, int):
        return Verdict.BEHIND, view
    return Verdict.APPLIED, View(view.channel, epoch, version, rows, _total(data, rows), *_times(data, rows))


def apply_diff(view: View, data: Mapping[str, Any]) -> tuple[Verdict, View]:
    """A ``leaderboard.diff``: keyed rows that changed, and users who left."""
    epoch, before, to = data.get("epoch"), data.get("from"), data.get("to")
    if epoch == view.epoch and isinstance(to, int) and to <= view.version:
        return Verdict.IGNORED, view
    changes = _rows(data.get("changes", []))
    if epoch != view.epoch or before != view.version or not isinstance(to, int) or changes is None:
        return Verdict.BEHIND, view
    rows = _in_order(_merged(view.rows, changes, data.get("removed", [])), view.channel)
    if rows is None or not _check_holds(rows, data.get("check")):
        return Verdict.BEHIND, view
    total = data.get("totalUsers", view.total_users)
    changed_at = data.get("timestamp") or _newest_change(rows)
    return Verdict.APPLIED, replace(view, version=to, rows=rows, total_users=total, changed_at=changed_at)


def apply_poll(view: View, document: object) -> tuple[Verdict, View]:
    """A polled table, in either dialect of REST."""
    table = document.get("data", document) if isinstance(document, dict) else None
    rows = _in_order(_rows(table.get("leaderboard")), view.channel) if isinstance(table, dict) else None
    if rows is None or not isinstance(table, dict):
        return Verdict.BEHIND, view
    return Verdict.APPLIED, View(view.channel, None, 0, rows, _total(table, rows), *_times(table, rows))


def checksum_text(rows: Iterable[Row]) -> str:
    """The text whose CRC-32 (UTF-8) is a frame's ``check``."""
    return ";".join(f"{row.rank}:{row.user_id}:{row.score}" for row in rows)


def _check_holds(rows: tuple[Row, ...], check: object) -> bool:
    return check is None or zlib.crc32(checksum_text(rows).encode()) == check


def _rows(found: object) -> list[Row] | None:
    if not isinstance(found, list):
        return None
    rows = [_row(one) for one in found]
    whole = [row for row in rows if row is not None]
    return whole if len(whole) == len(rows) else None


def _row(found: object) -> Row | None:
    if not isinstance(found, dict):
        return None
    rank, score = found.get("rank"), found.get("score")
    user_id, username = found.get("userId"), found.get("username")
    if not isinstance(user_id, str) or not isinstance(username, str) or type(rank) is not int or type(score) is not int:
        return None
    return Row(rank, user_id, username, score, found.get("lastUpdated"), found.get("country"), found.get("avatar"))


def _merged(rows: tuple[Row, ...], changes: list[Row], removed: Iterable[str]) -> list[Row]:
    gone = set(removed)
    by_user = {row.user_id: row for row in rows if row.user_id not in gone}
    return list((by_user | {row.user_id: row for row in changes}).values())


def _in_order(rows: list[Row] | None, channel: str) -> tuple[Row, ...] | None:
    """Ranks must follow one another, from 1 on but for the rows around somebody; a hole is a gap."""
    if rows is None:
        return None
    ordered = tuple(sorted(rows, key=lambda row: row.rank))
    first = ordered[0].rank if ordered and is_around(channel) else 1
    return ordered if all(row.rank == first + index for index, row in enumerate(ordered)) else None


def _total(data: Mapping[str, Any], rows: tuple[Row, ...]) -> int:
    total = data.get("totalUsers")
    return total if isinstance(total, int) else len(rows)


def _times(data: Mapping[str, Any], rows: tuple[Row, ...]) -> tuple[str | None, str | None]:
    """When it changed last, and when it will be reset."""
    return _newest_change(rows), data.get("resetsAt")


def _newest_change(rows: tuple[Row, ...]) -> str | None:
    times = [row.last_updated for row in rows if _time(row.last_updated) is not None]
    return max(times, key=lambda text: _time(text) or datetime.min.replace(tzinfo=UTC), default=None)


def _time(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
