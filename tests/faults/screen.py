"""A spectator's board, kept as the documentation of the live feed says."""

from __future__ import annotations

import zlib
from typing import Any

from tests.faults.journal import Shown


class Elsewhere(Exception):
    """A frame does not fit what is shown: a fresh snapshot is needed."""


class Board:
    """One channel. Empty until the first snapshot."""

    def __init__(self) -> None:
        self.epoch = ""
        self.version = -1
        self.total_users = 0
        self.rows: tuple[Shown, ...] = ()

    def take(self, event: str, data: dict[str, Any]) -> bool:
        """Show what a frame says; whether it was news. Raises Elsewhere."""
        if event == "leaderboard.update":
            self._show(data["version"], [_row(each) for each in data["leaderboard"]], data)
            return True
        if data["epoch"] == self.epoch and data["to"] <= self.version:
            return False
        if data["epoch"] != self.epoch or data["from"] != self.version:
            raise Elsewhere(f"{self.epoch}:{self.version} cannot take {data['epoch']}:{data['from']}")
        gone = set(data["removed"])
        rows = {row.user_id: row for row in self.rows if row.user_id not in gone}
        rows |= {each["userId"]: _row(each) for each in data["changes"]}
        self._show(data["to"], list(rows.values()), data)
        return True

    def _show(self, version: int, rows: list[Shown], data: dict[str, Any]) -> None:
        rows.sort()
        text = ";".join(f"{row.rank}:{row.user_id}:{row.score}" for row in rows)
        if data.get("check") is not None and zlib.crc32(text.encode()) != data["check"]:
            raise Elsewhere(f"the check of version {version} fails")
        self.rows, self.epoch, self.version = tuple(rows), data["epoch"], version
        self.total_users = data.get("totalUsers", self.total_users)


def _row(found: dict[str, Any]) -> Shown:
    return Shown(found["rank"], found["userId"], found["score"])
