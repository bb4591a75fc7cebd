"""Dialect B on the wire, as the documents show it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from wsproto.connection import Connection, ConnectionType
from wsproto.events import TextMessage

from actors.connection.events import (
    Answered,
    ErrorEvent,
    PersonalEvent,
    Pong,
    Refused,
    SignedIn,
    SignedOut,
    Unsubscribed,
)
from actors.leaderboard.events import BoardDiff, BoardEvent, BoardFull, Channel, NewLeader, RankChange, Row, ScoreChange
from actors.ports import ALL_TIME, BoardId, UserId
from actors.runtime import ActorCrashed, AskTimeout, MailboxFull
from actors.user.messages import ScoreAnswer, TokenIssued
from actors.user.refusals import RateLimited, TokenExpired
from actors.user.token import ActionToken
from scoreboard.live import DialectB

TOP10 = Channel(ALL_TIME, 10)
AT_US = 1_761_820_200_123_456
AT = "2025-10-30T10:30:00.123Z"
ANN = Row(1, UserId("u1"), "Änn", 2**53, AT_US)
BOB = Row(2, UserId("u2"), "Bob", 7, AT_US)
ANN_ROW = {"rank": 1, "userId": "u1", "username": "Änn", "score": 2**53, "lastUpdated": AT}
BOB_ROW = {"rank": 2, "userId": "u2", "username": "Bob", "score": 7, "lastUpdated": AT}

BOARD_EVENTS: list[tuple[BoardEvent, str, dict[str, Any]]] = [
    (
        BoardFull(TOP10, "e1", 5, (ANN, BOB), 20, 4_000_000_000, AT_US),
        "leaderboard.update",
        {
            "channel": "leaderboard.top10",
            "board": "all_time",
            "epoch": "e1",
            "version": 5,
            "leaderboard": [ANN_ROW, BOB_ROW],
            "totalUsers": 20,
            "check": 4_000_000_000,
            "timestamp": AT,
        },
    ),
    (
        BoardDiff(TOP10, "e1", 5, 6, (BOB,), (UserId("u3"),), 21, 12, AT_US),
        "leaderboard.diff",
        {
            "channel": "leaderboard.top10",
            "board": "all_time",
            "epoch": "e1",
            "from": 5,
            "to": 6,
            "changes": [BOB_ROW],
            "removed": ["u3"],
            "totalUsers": 21,
            "check": 12,
            "timestamp": AT,
        },
    ),
    (
        RankChange(TOP10, UserId("u2"), "Bob", None, 2, 7, AT_US),
        "leaderboard.rank_change",
        {
            "channel": "leaderboard.top10",
            "userId": "u2",
            "username": "Bob",
            "oldRank": None,
            "newRank": 2,
            "score": 7,
            "timestamp": AT,
        },
    ),
    (
        NewLeader(TOP10, ANN, BOB, AT_US),
        "leaderboard.new_leader",
        {
            "channel": "leaderboard.top10",
            "userId": "u1",
            "username": "Änn",
            "score": 2**53,
            "previousLeader": {"userId": "u2", "username": "Bob", "score": 7},
            "timestamp": AT,
        },
    ),
]

PERSONAL_EVENTS: list[tuple[PersonalEvent, str, dict[str, Any]]] = [
    (SignedIn(UserId("u1"), "Änn"), "authenticated", {"userId": "u1", "username": "Änn"}),
    (Unsubscribed(Channel(ALL_TIME, 3)), "unsubscribed", {"channel": "leaderboard.top3"}),
    (Pong(b'{"t":1}'), "pong", {"t": 1}),
    (ErrorEvent("CODE", "Why."), "error", {"code": "CODE", "message": "Why."}),
    (SignedOut("CODE", "Why."), "error", {"code": "CODE", "message": "Why."}),
    (
        ErrorEvent("CODE", "Why.", channel=TOP10),
        "error",
        {"code": "CODE", "message": "Why.", "channel": "leaderboard.top10"},
    ),
    (ErrorEvent("CODE", "Why.", channel="x"), "error", {"code": "CODE", "message": "Why.", "channel": "x"}),
]

TOKEN = ActionToken(UserId("u1"), 17, "0f", "ab")
TOKEN_JSON = {"userId": "u1", "timestamp": 17, "nonce": "0f", "signature": "ab"}
SCORE_JSON = {"success": True, "newScore": 7, "previousRank": 3, "newRank": 2, "rankChanged": True, "repeated": True}
REPLIES: list[tuple[PersonalEvent, dict[str, Any]]] = [
    (
        Answered(5, TokenIssued(TOKEN, 60_017, 60)),
        {"event": "ack", "id": 5, "data": {"actionToken": TOKEN_JSON, "expiresAt": 60_017, "expiresIn": 60}},
    ),
    (Answered("a", ScoreAnswer(7, 3, 2, repeated=True)), {"event": "ack", "id": "a", "data": SCORE_JSON}),
    (ErrorEvent("CODE", "Why.", 0), {"event": "error", "id": 0, "data": {"code": "CODE", "message": "Why."}}),
    (
        Refused("ä", RateLimited("Slow.", retry_after_s=1.2)),
        {"event": "error", "id": "ä", "data": {"code": "RATE_LIMITED", "message": "Slow.", "retryAfter": 2}},
    ),
    (
        Refused(1, TokenExpired("Old.")),
        {"event": "error", "id": 1, "data": {"code": "TOKEN_EXPIRED", "message": "Old."}},
    ),
]


def _messages(data: bytes) -> list[Any]:
    client = Connection(ConnectionType.CLIENT)
    client.receive_data(data)
    return [json.loads(event.data) for event in client.events() if isinstance(event, TextMessage)]


@pytest.mark.parametrize(
    ("event", "name", "data"), BOARD_EVENTS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_an_event_of_a_board_has_its_name_and_fields(event: BoardEvent, name: str, data: dict[str, Any]) -> None:
    """Names, order and types of the fields are the contract."""
    (message,) = _messages(DialectB().frames([event]))
    assert [("event", name), ("data", data)] == list(message.items())
    assert list(data) == list(message["data"])


@pytest.mark.parametrize(("event", "name", "data"), PERSONAL_EVENTS)
def test_an_event_for_one_client_has_its_name_and_fields(event: PersonalEvent, name: str, data: dict[str, Any]) -> None:
    """The same envelope."""
    assert [{"event": name, "data": data}] == _messages(DialectB().personal(event))


@pytest.mark.parametrize(("event", "message"), REPLIES)
def test_a_reply_carries_the_id_of_its_command(event: PersonalEvent, message: dict[str, Any]) -> None:
    """Data as REST has it, and whether it was told before; names, order and types are the contract."""
    (told,) = _messages(DialectB().personal(event))
    assert list(message.items()) == list(told.items())
    assert list(message["data"]) == list(told["data"])


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (MailboxFull("x"), "SERVICE_UNAVAILABLE"),
        (AskTimeout("x"), "SERVICE_UNAVAILABLE"),
        (ActorCrashed("x", begun=True), "SERVICE_UNAVAILABLE"),
        (RuntimeError("x"), "INTERNAL_ERROR"),
    ],
)
def test_whatever_was_in_the_way_has_a_code_and_a_wait(reason: Exception, code: str) -> None:
    """Nothing of its insides is told."""
    (told,) = _messages(DialectB().personal(Refused(1, reason)))
    assert (code, 1) == (told["data"]["code"], told["data"]["retryAfter"])
    assert "x" not in told["data"]["message"].split()


def test_several_events_are_a_frame_each_in_one_piece() -> None:
    """In their order."""
    names = [name for _, name, _ in BOARD_EVENTS]
    assert names == [
        message["event"] for message in _messages(DialectB().frames([event for event, *_ in BOARD_EVENTS]))
    ]


def test_what_the_document_has_no_word_for_is_not_said() -> None:
    """A score that changed shows in the rows."""
    change = ScoreChange(TOP10, UserId("u2"), "Bob", 6, 7, 2, 2, AT_US)
    assert DialectB().frames([change]) == b""


def test_the_end_of_its_period_is_told_with_a_board() -> None:
    """So that a screen can count down to it."""
    daily = BoardFull(Channel(BoardId("daily"), 10), "e1", 5, (), 0, 0, AT_US, AT_US + 1_000)
    assert _messages(DialectB().frames([daily]))[0]["data"]["resetsAt"] == "2025-10-30T10:30:00.124Z"


def test_a_row_has_what_the_player_shows() -> None:
    """What is not shown costs no byte in any frame."""
    eve = Row(3, UserId("u4"), "Eve", 5, AT_US, "NO", "https://example.com/eve.png")
    diff = BoardDiff(TOP10, "e", 1, 2, (BOB, eve), (), 3, None, 0)
    told = {"rank": 3, "userId": "u4", "username": "Eve", "score": 5, "lastUpdated": AT}
    shown = {"avatar": "https://example.com/eve.png", "country": "NO"}
    assert _messages(DialectB().frames([diff]))[0]["data"]["changes"] == [BOB_ROW, told | shown]


def test_a_diff_without_a_check_leaves_it_out() -> None:
    """And a first leader follows nobody; another board is named in its channel."""
    daily = Channel(BoardId("daily"), 10)
    diff, leader = BoardDiff(daily, "e", 1, 2, (), (), 0, None, 0), NewLeader(daily, ANN, None, 0)
    first, second = _messages(DialectB().frames([diff, leader]))
    assert "check" not in first["data"]
    assert second["data"]["previousLeader"] is None
    assert {"leaderboard.daily.top10"} == {first["data"]["channel"], second["data"]["channel"]}
