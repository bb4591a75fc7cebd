from __future__ import annotations

import io
import json

import pytest

from actors.leaderboard.loading import Loading
from actors.ports import ALL_TIME
from scoreboard.observe.logs import make_logger
from scoreboard.server.progress import LoadingLog, progress_of


@pytest.mark.parametrize(
    ("loading", "told"),
    [
        (None, "is being loaded"),
        (Loading(ALL_TIME, 0, 0.0), "is being loaded"),
        (Loading(ALL_TIME, 600_000, 0.6), "is being loaded, 60%: 600,000 of about 1,000,000 players"),
        (Loading(ALL_TIME, 999_983, 1.0), "is being loaded, 100%: 999,983 of 999,983 players"),
    ],
)
def test_it_is_told_how_far_a_board_is_and_how_far_it_has_to_go(loading: Loading | None, told: str) -> None:
    """The number of all is exact only when all have been read."""
    assert told == progress_of(loading)


def test_the_log_tells_once_a_second_how_far_a_board_is() -> None:
    """Each loading anew; one of less than a second not at all."""
    lines, seconds = io.StringIO(), iter([0.0, 0.9, 1.0, 1.1, 2.3, 10.0, 10.5])
    log = LoadingLog(make_logger(style="json", stream=lines), lambda: next(seconds))
    for share in (0.0, 0.1, 0.2, 0.3, 0.4, 0.0, 1.0):
        log.heard(Loading(ALL_TIME, round(share * 50), share))
    assert ["is being loaded, 20%: 10 of about 50 players", "is being loaded, 40%: 20 of about 50 players"] == [
        json.loads(line)["progress"] for line in lines.getvalue().splitlines()
    ]
