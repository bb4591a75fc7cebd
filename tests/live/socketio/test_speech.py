"""What is asked and what is said, packet by packet."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
import trio

from actors.connection.commands import BadInput, ClientCommand, Ping, RequestToken, Subscribe
from actors.connection.connection import ConnectionWorld
from actors.connection.events import ErrorEvent, Pong, SignedOut
from actors.leaderboard.events import BoardDiff, BoardEvent, BoardFull, Channel, NewLeader, RankChange, Row, ScoreChange
from actors.ports import ALL_TIME, Source, UserId
from scoreboard.live.frames import texts_in
from scoreboard.live.socketio import SocketIoLimits, SocketIoWorld
from scoreboard.live.socketio.asked import asked
from scoreboard.live.socketio.engine import Way
from scoreboard.live.socketio.outbox import ROOM_BYTES
from scoreboard.live.socketio.packets import socket_packet
from scoreboard.live.socketio.places import Place, PlaceLimits, Places
from scoreboard.live.socketio.session import Session
from scoreboard.live.socketio.speech import SPEECH_A, SPEECH_B, Answering, framed
from tests.connection.feed import nobody_scores
from tests.live.feeds import Boards, who

TOP10 = Channel(ALL_TIME, 10)
AT_US = 1_733_097_600_000_999
AT = 1_733_097_600_000
ANN = Row(1, UserId("u1"), "Ann", 9, 0)
ROW = {"rank": 1, "userId": "u1", "username": "Ann", "score": 9, "lastUpdated": "1970-01-01T00:00:00.000Z"}
WHO = {"userId": "u1", "username": "Ann"}

IN_WORDS_OF_A: list[tuple[BoardEvent, str, dict[str, Any]]] = [
    (
        BoardFull(TOP10, "e", 5, (ANN,), 20, 7, AT_US),
        "leaderboard_update",
        {"type": "full", "data": [ROW], "epoch": "e", "version": 5, "totalUsers": 20, "check": 7}
        | {"channel": "leaderboard.top10", "timestamp": AT},
    ),
    (
        BoardDiff(TOP10, "e", 5, 6, (ANN,), (UserId("u2"),), 20, None, AT_US),
        "leaderboard_update",
        {"type": "diff", "data": [ROW], "removed": ["u2"], "epoch": "e", "from": 5, "to": 6, "totalUsers": 20}
        | {"channel": "leaderboard.top10", "timestamp": AT},
    ),
    (
        ScoreChange(TOP10, UserId("u1"), "Ann", 8, 9, 2, 1, AT_US),
        "score_changed",
        {**WHO, "previousScore": 8, "newScore": 9, "previousRank": 2, "newRank": 1, "timestamp": AT},
    ),
    (
        RankChange(TOP10, UserId("u1"), "Ann", 11, 10, 9, AT_US),
        "rank_changed",
        {**WHO, "newRank": 10, "enteredTop10": True, "timestamp": AT},
    ),
    (
        RankChange(TOP10, UserId("u1"), "Ann", None, 1, 9, AT_US),
        "rank_changed",
        {**WHO, "newRank": 1, "enteredTop10": True, "timestamp": AT},
    ),
    (
        RankChange(TOP10, UserId("u1"), "Ann", 10, 11, 9, AT_US),
        "rank_changed",
        {**WHO, "newRank": 11, "enteredTop10": False, "timestamp": AT},
    ),
]


@pytest.mark.parametrize(("event", "name", "data"), IN_WORDS_OF_A)
def test_an_event_of_a_board_is_said_as_document_a_has_it(event: BoardEvent, name: str, data: dict[str, Any]) -> None:
    """With the fields beside it that make differences possible."""
    [packet] = texts_in(SPEECH_A.frames([event]))
    assert packet.startswith("42")
    assert json.loads(packet[2:]) == [name, data]


@pytest.mark.parametrize(
    "event",
    [
        RankChange(TOP10, UserId("u1"), "Ann", 2, 1, 9, AT_US),
        RankChange(TOP10, UserId("u1"), "Ann", 12, 11, 9, AT_US),
        NewLeader(TOP10, ANN, None, AT_US),
    ],
)
def test_document_a_has_no_word_for_moves_that_cross_nothing(event: BoardEvent) -> None:
    """The rows show them; document B says them."""
    assert SPEECH_A.frames([event]) == b""
    assert len(texts_in(SPEECH_B.frames([event]))) == 1


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ('2["subscribe",{"channel":"leaderboard.top10"}]', Subscribe(TOP10, full=True)),
        ('2["subscribe",{"channel":"leaderboard.top10","full":false}]', Subscribe(TOP10, full=False)),
        ('2["ping"]', Ping(b"")),
        ('2["ping",null]', Ping(b"null")),
        ('27["action.token"]', RequestToken(7)),
    ],
)
def test_an_event_is_a_command(text: str, command: ClientCommand) -> None:
    """Whole boards are what a client of document B knows."""
    assert asked(socket_packet(text)) == command


def test_every_other_packet_is_bad_input() -> None:
    """Whatever it is."""
    rng = random.Random(7)
    for _ in range(300):
        text = "2" + "".join(rng.choices('[]{}",:0123456789abcsubscribe', k=rng.randrange(12)))
        try:
            packet = socket_packet(text)
        except ValueError:
            continue
        assert isinstance(asked(packet), BadInput)


def test_an_answer_goes_to_the_command_that_awaits_it() -> None:
    """Not that of a score, which has a name of its own; and not what answers nothing. Both may come at any time."""
    speech = Answering(SPEECH_A)
    speech.awaited = 5
    assert texts_in(speech.personal(ErrorEvent("X", "No.", 7))) == ['437[{"error":{"code":"X","message":"No."}}]']
    assert texts_in(speech.personal(SignedOut("X", "No."))) == ['42["error",{"code":"X","message":"No."}]']
    assert texts_in(speech.personal(Pong(b"1"))) == ["435[1]"]
    assert texts_in(speech.personal(Pong(b"1"))) == ['42["pong",1]']


async def test_a_ping_that_finds_no_room_is_said_at_a_later_look() -> None:
    """When the client has fetched what waits; otherwise it would hear none for a whole interval, and give us up."""
    connection = ConnectionWorld(Boards(), who, lambda: None, lambda: None, nobody_scores())  # type: ignore[arg-type]
    world = SocketIoWorld(connection, SocketIoLimits(), lambda _: None)
    place = Places(PlaceLimits()).take("")
    assert isinstance(place, Place)
    session = Session("sid", Way.POLLING, world, Source(None, None), place, lambda _: None)
    now = trio.current_time()
    assert session._outbox.write_now(framed("4" + "x" * ROOM_BYTES))
    session.look(now + 26)
    assert len(session._outbox.take()) == 1
    session.look(now + 27)
    assert session._outbox.take() == ["2"]
