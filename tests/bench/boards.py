"""What a client of the live feed knows of its board: pieces of bytes, read once for all who get the same."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.bench.wire import CLOSE, PING, TEXT, frames

Place = tuple[str, int]
"""Epoch and version of a board."""


class Impossible(Exception):
    """The server showed what cannot be: a board that fails its own check, or two boards of one version."""


@dataclass(frozen=True, slots=True)
class Step:
    """One board frame: where it leads, and from which version; None for a whole board, which follows any."""

    epoch: str
    came_from: int | None
    to: int


@dataclass(slots=True)
class Piece:
    """Whole frames that came at once; `count` clients have got the very same."""

    number: int
    bytes: int = 0
    steps: list[Step] = field(default_factory=list)
    scores: dict[str, int] = field(default_factory=dict)
    others: int = 0
    pings: int = 0
    closes: bool = False
    count: int = 0


class Boards:
    """Reads pieces, and keeps the rows of each version that they lead to, so that no client needs a copy."""

    def __init__(self) -> None:
        self._pieces: dict[bytes, Piece] = {}
        self._rows: dict[Place, dict[str, tuple[int, int]]] = {}

    def begin(self) -> None:
        """Forget the pieces; what they led to stays."""
        self._pieces.clear()
        for place in list(self._rows)[:-1000]:  # nobody is so far behind and gets a difference
            del self._rows[place]

    @property
    def pieces(self) -> list[Piece]:
        """All since `begin`."""
        return list(self._pieces.values())

    def rows(self, place: Place | None) -> list[tuple[str, int]]:
        """Who stands there with which score, in order of rank."""
        rows = self._rows.get(place, {}) if place is not None else {}
        return [(user, score) for user, (_, score) in sorted(rows.items(), key=lambda row: row[1][0])]

    def piece(self, data: bytes) -> tuple[Piece, bytes]:
        """The whole frames of `data`, and what is left over."""
        known = self._pieces.get(data)
        if known is not None:
            return known, b""
        piece = Piece(len(self._pieces))
        for opcode, start, end in frames(data):
            piece.bytes = end
            if opcode == TEXT:
                self._read(piece, json.loads(data[start:end]))
            piece.pings += opcode == PING
            piece.closes |= opcode == CLOSE
        return self._pieces.setdefault(data[: piece.bytes], piece), data[piece.bytes :]

    def _read(self, piece: Piece, message: dict[str, Any]) -> None:
        board = message["data"]
        if message["event"] == "leaderboard.update":
            self._lead(piece, Step(board["epoch"], None, board["version"]), {}, board["leaderboard"], board)
        elif message["event"] == "leaderboard.diff":
            step = Step(board["epoch"], board["from"], board["to"])
            before = self._rows.get((board["epoch"], board["from"]))
            if before is None:  # whoever gets this has never been there: a gap, which its client notices
                piece.steps.append(step)
                return
            left = {user: row for user, row in before.items() if user not in board["removed"]}
            self._lead(piece, step, left, board["changes"], board)
        else:
            piece.others += 1

    def _lead(
        self,
        piece: Piece,
        step: Step,
        rows: dict[str, tuple[int, int]],
        changes: list[dict[str, Any]],
        board: dict[str, Any],
    ) -> None:
        rows |= {row["userId"]: (row["rank"], row["score"]) for row in changes}
        if "check" in board and board["check"] != check(rows):
            raise Impossible(f"the board {step} fails its check")
        if self._rows.setdefault((step.epoch, step.to), rows) != rows:
            raise Impossible(f"there are two boards at {step}")
        piece.steps.append(step)
        piece.scores |= {row["userId"]: row["score"] for row in changes}


def check(rows: dict[str, tuple[int, int]]) -> int:
    """The checksum of rows, as the live feed's page defines it."""
    return zlib.crc32(";".join(_lines(rows)).encode())


def _lines(rows: dict[str, tuple[int, int]]) -> Iterator[str]:
    for user, (rank, score) in sorted(rows.items(), key=lambda row: row[1][0]):
        yield f"{rank}:{user}:{score}"
