"""The crowd's own reading of boards: what it takes for the true board must be one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.bench.boards import Boards, Impossible, Step, check


def frame(event: str, **data: Any) -> bytes:
    """A server's frame."""
    payload = json.dumps({"event": event, "data": data}).encode()
    return bytes((0x81, 126)) + len(payload).to_bytes(2, "big") + payload


def row(user: str, rank: int, score: int) -> dict[str, Any]:
    """A row as it is sent."""
    return {"userId": user, "rank": rank, "score": score}


def full(version: int, *rows: dict[str, Any]) -> bytes:
    """A whole board."""
    checked = check({each["userId"]: (each["rank"], each["score"]) for each in rows})
    return frame("leaderboard.update", epoch="e", version=version, leaderboard=list(rows), check=checked)


def diff(version: int, changes: list[dict[str, Any]], removed: list[str], checked: int | None = None) -> bytes:
    """A step from the version before."""
    extra = {} if checked is None else {"check": checked}
    return frame(
        "leaderboard.diff", epoch="e", **{"from": version - 1}, to=version, changes=changes, removed=removed, **extra
    )


def test_a_difference_leads_from_one_board_to_the_next() -> None:
    """Rows are replaced and removed by player; the check covers what comes out."""
    boards = Boards()
    boards.piece(full(1, row("ada", 1, 9), row("bob", 2, 5)))
    after = {"cyd": (1, 11), "ada": (2, 9)}
    piece, rest = boards.piece(diff(2, [row("cyd", 1, 11), row("ada", 2, 9)], ["bob"], check(after)))
    assert ([Step("e", 1, 2)], b"") == (piece.steps, rest)
    assert [("cyd", 11), ("ada", 9)] == boards.rows(("e", 2))


def test_half_a_frame_waits_for_its_rest() -> None:
    """And whole ones before it count."""
    data = full(1, row("ada", 1, 9)) + full(2, row("ada", 1, 10))
    boards = Boards()
    piece, rest = boards.piece(data[:-5])
    assert (1, data[piece.bytes : -5]) == (len(piece.steps), rest)
    assert [Step("e", None, 2)] == boards.piece(rest + data[-5:])[0].steps


def test_a_board_that_fails_its_check_is_noticed() -> None:
    """The server would have shown what is not true."""
    boards = Boards()
    boards.piece(full(1, row("ada", 1, 9)))
    with pytest.raises(Impossible):
        boards.piece(diff(2, [row("ada", 1, 10)], [], 12345))


def test_two_boards_of_one_version_are_noticed() -> None:
    """Whoever saw one of them saw another board than the rest."""
    boards = Boards()
    boards.piece(full(1, row("ada", 1, 9)))
    with pytest.raises(Impossible):
        boards.piece(full(1, row("ada", 1, 8)))
