"""Frames from server to client, read by wsproto as a client."""

from __future__ import annotations

import pytest
from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, Event, Ping, TextMessage

from scoreboard.live.frames import PING, close_frame, is_close, text_frame


def _read(data: bytes) -> list[Event]:
    client = Connection(ConnectionType.CLIENT)
    client.receive_data(data)
    return list(client.events())


@pytest.mark.parametrize("size", [0, 1, 124, 125, 126, 127, 65_535, 65_536, 65_537])
def test_a_text_frame_is_one_whole_message_of_any_length(size: int) -> None:
    """At both borders where the length takes more bytes, and with more frames behind it."""
    text = "é" * (size // 2) + "x" * (size % 2)
    events = _read(text_frame(text.encode()) * 2 + PING)
    messages = [event for event in events if isinstance(event, TextMessage)]
    assert text * 2 == "".join(message.data for message in messages)
    assert sum(message.message_finished for message in messages) == 2
    assert Ping(payload=b"") == events[-1]


@pytest.mark.parametrize(("code", "reason"), [(1001, ""), (1008, "too much"), (4000, "ä" * 200)])
def test_a_close_frame_says_why(code: int, reason: str) -> None:
    """A long reason is cut between two characters."""
    (event,) = _read(close_frame(code, reason))
    assert isinstance(event, CloseConnection)
    assert event.code == code
    assert event.reason is not None
    assert reason.startswith(event.reason)
    assert len(event.reason.encode()) <= 123


@pytest.mark.parametrize("code", [1005, 1006, 1015])
def test_a_code_that_may_not_be_sent_is_left_out(code: int) -> None:
    """They stand for "there was none"."""
    assert [CloseConnection(code=1005, reason="")] == _read(close_frame(code))


def test_a_close_frame_is_recognized() -> None:
    """By its first byte; the response of a handshake and other frames are not."""
    assert is_close(close_frame(1000))
    assert not any(is_close(other) for other in (b"", b"HTTP/1.1 101", text_frame(b"x"), PING))
