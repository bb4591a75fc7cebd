"""The rule by which frames change a board, asked of the module itself inside Chromium."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.stage import check, ranked, row

Modules = Callable[..., Any]

EMPTY: dict[str, Any] = {"epoch": None, "version": 0, "rows": [], "totalUsers": 0, "changedAt": None}


def update(rows: list[dict[str, Any]], version: int = 4) -> dict[str, Any]:
    """The data of a full update."""
    return {"epoch": "e1", "version": version, "leaderboard": rows, "totalUsers": 20, "check": check(rows)}


def diff(
    before: int, to: int, after: list[dict[str, Any]], changes: list[dict[str, Any]], **more: Any
) -> dict[str, Any]:
    """A diff whose checksum covers `after`."""
    whole = {"epoch": "e1", "from": before, "to": to, "changes": changes, "removed": [], "totalUsers": 21}
    return whole | {"check": check(after), "timestamp": "2026-01-31T16:00:00Z"} | more


@pytest.fixture
def board(modules: Modules) -> dict[str, Any]:
    """Ann 5, Bob 3, Cy 1 at version 4."""
    answer = modules("client.js", "applyFull", EMPTY, update(ranked({"Ann": 5, "Bob": 3, "Cy": 1})))
    assert "applied" == answer["verdict"]
    return dict(answer["board"])


@pytest.mark.parametrize("text", ["", "123456789", "1:user_789:9876;2:user_456:9654", "1:Zoë-雪-🏆:7"])
def test_the_checksum_is_the_one_of_zlib(modules: Modules, text: str) -> None:
    """CRC-32 of the UTF-8 bytes, unsigned."""
    assert zlib.crc32(text.encode()) == modules("client.js", "crc32", text)


def test_a_full_update_replaces_the_board(modules: Modules, board: dict[str, Any]) -> None:
    """Whatever was there before, epoch and version included."""
    rows = ranked({"Dee": 9})
    answer = modules("client.js", "applyFull", board, update(rows, 1) | {"epoch": "e2"})
    assert ("applied", "e2", 1, rows) == (
        answer["verdict"],
        *(answer["board"][key] for key in ("epoch", "version", "rows")),
    )


def test_a_full_update_with_a_wrong_checksum_is_not_shown(modules: Modules, board: dict[str, Any]) -> None:
    """The board stays what it was."""
    damaged = update(ranked({"Dee": 9})) | {"check": 1}
    assert {"verdict": "behind", "board": board} == modules("client.js", "applyFull", board, damaged)


def test_a_diff_that_fits_is_applied_by_user(modules: Modules, board: dict[str, Any]) -> None:
    """Rows are replaced by user id, leavers go, newcomers come, and the order is that of the ranks."""
    after = [row(1, "Bob", 6), row(2, "Ann", 5), row(3, "Dee", 2)]
    changes = [after[2], after[0], after[1]]
    answer = modules("client.js", "applyDiff", board, diff(4, 7, after, changes, removed=["user_Cy"]))
    expected = {"epoch": "e1", "version": 7, "rows": after, "totalUsers": 21, "changedAt": "2026-01-31T16:00:00Z"}
    assert {"verdict": "applied", "board": expected} == answer


@pytest.mark.parametrize("versions", [(3, 4), (2, 3), (4, 4)])
def test_a_diff_seen_before_is_ignored(modules: Modules, board: dict[str, Any], versions: tuple[int, int]) -> None:
    """One that leads to where we are, or behind it, is a duplicate."""
    repeated = diff(*versions, [], [row(1, "Bob", 99)])
    assert {"verdict": "ignored", "board": board} == modules("client.js", "applyDiff", board, repeated)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"from": 5, "to": 6}, id="a gap"),
        pytest.param({"from": 3}, id="an overlap"),
        pytest.param({"epoch": "e2"}, id="another epoch"),
        pytest.param({"check": 7}, id="a wrong checksum"),
        pytest.param({"changes": [row(1, "Bob", 6)], "check": None}, id="two rows with one rank"),
        pytest.param({"removed": ["user_Ann"], "changes": [], "check": None}, id="a hole in the ranks"),
        pytest.param({"changes": [{"userId": "user_Bob"}]}, id="half a row"),
        pytest.param({"changes": [row(2, "Bob", 3) | {"score": "3"}]}, id="a score that is text"),
        pytest.param({"changes": [row(2, "Bob", 3) | {"score": 2**60}]}, id="a score beyond what a browser can hold"),
    ],
)
def test_a_diff_that_does_not_fit_asks_for_a_full_update(
    modules: Modules, board: dict[str, Any], wrong: dict[str, Any]
) -> None:
    """The verdict is `behind`, and the board stays what it was."""
    after = [row(1, "Ann", 8), *board["rows"][1:]]
    data = diff(4, 5, after, after[:1]) | wrong
    assert {"verdict": "behind", "board": board} == modules("client.js", "applyDiff", board, data)


def test_a_diff_without_a_checksum_is_believed_when_its_ranks_are_whole(
    modules: Modules, board: dict[str, Any]
) -> None:
    """Not every frame carries one."""
    after = [row(1, "Ann", 8), *board["rows"][1:]]
    data = {key: value for key, value in diff(4, 5, after, after[:1]).items() if key != "check"}
    answer = modules("client.js", "applyDiff", board, data)
    assert ("applied", after) == (answer["verdict"], answer["board"]["rows"])


def test_no_diff_fits_a_polled_board(modules: Modules) -> None:
    """A poll tells neither epoch nor version, so the socket has to begin with a full update."""
    rows = ranked({"Ann": 5})
    polled = modules("client.js", "applyPoll", EMPTY, {"leaderboard": rows, "totalUsers": 1})["board"]
    assert (rows, None) == (polled["rows"], polled["epoch"])
    assert "behind" == modules("client.js", "applyDiff", polled, diff(0, 1, rows, rows))["verdict"]


@pytest.mark.parametrize("nonsense", [None, {}, {"leaderboard": "none"}, {"leaderboard": [{"rank": 1}]}])
def test_a_poll_that_is_no_table_changes_nothing(modules: Modules, board: dict[str, Any], nonsense: object) -> None:
    """What a proxy may answer in the server's place."""
    assert {"verdict": "behind", "board": board} == modules("client.js", "applyPoll", board, nonsense)


def test_the_changes_between_boards_are_what_a_person_sees(modules: Modules, board: dict[str, Any]) -> None:
    """Gains and old ranks of those who changed; a newcomer has no old rank and gained nothing that was seen."""
    after = board | {"rows": [row(1, "Bob", 6), row(2, "Ann", 5), row(3, "Dee", 2)]}
    seen = modules("board.js", "changesBetween", board, after)
    assert [("Bob", 3, 2), ("Ann", 0, 1), ("Dee", 0, None)] == [
        (c["username"], c["gained"], c["movedFrom"]) for c in seen
    ]


def test_nobody_leads_without_a_point(modules: Modules, board: dict[str, Any]) -> None:
    """Registered players with nothing stand on the board, but not in the lead."""
    assert "Ann" == modules("board.js", "leaderOf", board)["username"]
    assert None is modules("board.js", "leaderOf", board | {"rows": ranked({"Ann": 0, "Bob": 0})})
    assert None is modules("board.js", "leaderOf", EMPTY)
