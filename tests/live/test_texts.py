"""The short way past wsproto finds what wsproto finds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionType
from wsproto.utilities import RemoteProtocolError

from scoreboard.live.guard import FrameGuard, FrameLimits
from scoreboard.live.opened import Opened
from scoreboard.live.texts import unmasked, whole_texts
from tests.live.wire import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame, text


def test_whole_text_messages_are_read() -> None:
    """Of any size up to 64 KiB, one after the other."""
    messages = ["", "a", "ä" * 62, "x" * 125, "y" * 126, "z" * 65_535]
    assert messages == whole_texts(b"".join(map(text, messages)))
    assert [] == whole_texts(b"")


def test_a_pong_is_passed_over() -> None:
    """It says nothing, and every quiet client sends one now and then; one that breaks the protocol is not a pong."""
    assert ["a", "b"] == whole_texts(frame(PONG, b"echo") + text("a") + frame(PONG) + text("b"))
    assert whole_texts(frame(PONG, b"x" * 126)) is None
    assert whole_texts(frame(PONG, b"x", fin=False)) is None


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(text("whole")[:-1], id="without its end"),
        pytest.param(text("x" * 200)[:3], id="half a head"),
        pytest.param(text("whole") + b"\x81", id="another begins"),
        pytest.param(frame(BINARY, b"x"), id="binary"),
        pytest.param(frame(PING), id="ping"),
        pytest.param(frame(TEXT, b"x", fin=False), id="first fragment"),
        pytest.param(frame(CONTINUATION, b"x"), id="last fragment"),
        pytest.param(frame(TEXT, b"\xff"), id="no UTF-8"),
        pytest.param(frame(TEXT, b"x" * 65_536), id="64 KiB"),
        pytest.param(b"\xc1" + text("compressed")[1:], id="reserved bit"),
        pytest.param(b"\x81\x01x", id="unmasked"),
        pytest.param(b"\x81\xfe\x00\x01\0\0\0\0x", id="length longer than it need be"),
    ],
)
def test_anything_else_is_left_to_wsproto(other: bytes) -> None:
    """Fragments, halves, control frames, what breaks the protocol; also behind a whole message."""
    assert whole_texts(other) is None
    assert whole_texts(text("before") + other) is None


@given(st.binary(max_size=300), st.binary(min_size=4, max_size=4))
def test_masking_twice_changes_nothing(payload: bytes, mask: bytes) -> None:
    """And once, every byte with the byte of the mask in its turn."""
    masked = unmasked(payload, mask)
    assert bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload)) == masked
    assert payload == unmasked(masked, mask)


_MESSAGE = st.one_of(
    st.text(max_size=200).map(text),
    st.binary(max_size=200).map(lambda payload: frame(TEXT, payload)),
    st.binary(max_size=20).map(lambda payload: frame(BINARY, payload)),
    st.binary(max_size=20).map(lambda payload: frame(PING, payload)),
    st.text(max_size=20).map(lambda part: frame(TEXT, part.encode(), fin=False)),
    st.text(max_size=20).map(lambda part: frame(CONTINUATION, part.encode())),
    st.just(frame(CLOSE, b"\x03\xe8")),
    st.binary(max_size=20),
)


@given(st.lists(_MESSAGE, max_size=8), st.data())
def test_the_events_are_those_of_wsproto_wherever_the_network_cuts(messages: list[bytes], data: st.DataObject) -> None:
    """Whatever comes: the same events, and the same end at the same place; behind it nobody reads on."""
    stream, guard = b"".join(messages), FrameGuard(FrameLimits(fragments=1000))
    ours, theirs = Opened(lambda: guard.between_messages), Connection(ConnectionType.SERVER)
    place, told, expected = 0, [""], [""]
    while place < len(stream) and not told[-1].startswith(("error", "CloseConnection")):
        piece = stream[place : place + data.draw(st.integers(1, len(stream)))]
        place += len(piece)
        guard.feed(piece, 0)
        told += _events(ours, piece)
        expected += _events(theirs, piece)
    assert expected == told


def _events(protocol: Opened | Connection, piece: bytes) -> list[str]:
    found: list[str] = []
    try:
        protocol.receive_data(piece)
        found += [repr(event) for event in protocol.events()]
    except RemoteProtocolError:
        found.append("error")
    return found
