"""Dialect A on the wire, as document A shows its events."""

from __future__ import annotations

import json
from typing import Any

import pytest
from wsproto.connection import Connection, ConnectionType
from wsproto.events import TextMessage

from actors.connection.events import Answered, ErrorEvent, Pong, Refused
from actors.leaderboard.events import (
    BoardDiff,
    BoardEvent,
    BoardFull,
    Channel,
    NewLeader,
    OwnDiff,
    OwnFull,
    RankChange,
    ScoreChange,
)
from actors.ports import ALL_TIME, UserId
from actors.user.messages import ScoreAnswer
from scoreboard.live import DialectA, DialectB
from tests.live.test_dialect import ANN, ANN_ROW, AT_US, BOB, BOB_ROW, TOP10

AT_MS = AT_US // 1000

EVENTS: list[tuple[BoardEvent, str, dict[str, Any]]] = [
    (
        BoardFull(TOP10, "e1", 5, (ANN, BOB), 20, 12, AT_US, AT_US + 1_000_000),
        "leaderboard_update",
        {
            "type": "full",
            "data": [ANN_ROW, BOB_ROW],
            "channel": "leaderboard.top10",
            "epoch": "e1",
            "version": 5,
            "totalUsers": 20,
            "check": 12,
            "resetsAt": AT_MS + 1000,
            "timestamp": AT_MS,
        },
    ),
    (
        BoardDiff(TOP10, "e1", 5, 6, (BOB,), (UserId("u3"),), 21, 12, AT_US),
        "leaderboard_update",
        {
            "type": "diff",
            "data": [BOB_ROW],
            "removed": ["u3"],
            "channel": "leaderboard.top10",
            "epoch": "e1",
            "from": 5,
            "to": 6,
            "totalUsers": 21,
            "check": 12,
            "timestamp": AT_MS,
        },
    ),
    (
        ScoreChange(TOP10, UserId("u2"), "Bob", 6, 7, None, 2, AT_US),
        "score_changed",
        {
            "userId": "u2",
            "username": "Bob",
            "previousScore": 6,
            "newScore": 7,
            "previousRank": None,
            "newRank": 2,
            "timestamp": AT_MS,
        },
    ),
]


def messages(frames: bytes) -> list[Any]:
    """What a client reads in these frames."""
    reader = Connection(ConnectionType.CLIENT)
    reader.receive_data(frames)
    return [json.loads(event.data) for event in reader.events() if isinstance(event, TextMessage)]


@pytest.mark.parametrize(("event", "name", "data"), EVENTS)
def test_a_board_event_is_told_in_the_words_of_document_a(event: BoardEvent, name: str, data: dict[str, Any]) -> None:
    """In the same envelope as document B's."""
    assert [{"event": name, "data": data}] == messages(DialectA().frames([event]))


@pytest.mark.parametrize(
    ("old", "new", "entered"), [(None, 10, [True]), (11, 9, [True]), (10, 11, [False]), (3, 2, []), (12, 11, [])]
)
def test_a_rank_is_told_where_somebody_enters_or_leaves_the_first_ten(
    old: int | None, new: int, entered: list[bool]
) -> None:
    """All other ranks show in the rows."""
    told = messages(DialectA().frames([RankChange(TOP10, UserId("u2"), "Bob", old, new, 7, AT_US)]))
    assert [each["data"]["enteredTop10"] for each in told] == entered
    assert all(each["event"] == "rank_changed" and each["data"]["newRank"] == new for each in told)


ME = Channel(ALL_TIME, 0, around=True)


def test_a_player_hears_of_itself_in_the_words_of_each_document() -> None:
    """A tells a change, at first one that was none; B tells where one stands. Who is on no board stands nowhere."""
    full, diff = OwnFull(ME, "e1", 1, (BOB,), 20, 7, AT_US), OwnDiff(ME, "e1", 1, 2, (BOB,), (), 20, 7, AT_US)
    news = RankChange(ME, UserId("u2"), "Bob", 30, 20, 7, AT_US)
    nobody = OwnFull(ME, "e1", 1, (), 20, 7, AT_US)
    first, moved = messages(DialectA().frames([full, diff, news, nobody]))
    assert (first["event"], first["data"]["previousScore"], first["data"]["newScore"]) == ("score_changed", 7, 7)
    assert (moved["event"], moved["data"]["newRank"], moved["data"]["enteredTop10"]) == ("rank_changed", 20, False)
    told = messages(DialectB().frames([full, diff, nobody]))
    assert [each["event"] for each in told] == ["player.update"] * 3
    assert [(each["data"]["channel"], each["data"]["rank"]) for each in told] == [
        ("player.me", 2),
        ("player.me", 2),
        ("player.me", None),
    ]
    assert [each["data"]["version"] for each in told] == [1, 2, 1]


def test_what_document_a_has_no_word_for_is_not_said() -> None:
    """A new leader shows in the rows."""
    assert DialectA().frames([NewLeader(TOP10, ANN, BOB, AT_US)]) == b""


def test_a_client_that_is_not_believed_hears_document_as_code() -> None:
    """Other errors keep theirs; an answer carries the id of what it answers."""
    dialect = DialectA()
    assert messages(dialect.personal(ErrorEvent("UNAUTHORIZED", "No."))) == [
        {"event": "error", "data": {"code": "AUTH_FAILED", "message": "No."}}
    ]
    assert messages(dialect.personal(ErrorEvent("CODE", "No.", 7)))[0]["id"] == 7
    assert messages(dialect.personal(Refused(8, KeyError())))[0]["data"]["code"] == "INTERNAL_ERROR"
    assert messages(dialect.personal(Answered("x", ScoreAnswer(7, 3, 2))))[0]["id"] == "x"
    assert messages(dialect.personal(Pong(b"{}"))) == [{"event": "pong", "data": {}}]
