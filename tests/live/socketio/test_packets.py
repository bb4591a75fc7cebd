"""What is a packet and what is none."""

from __future__ import annotations

import msgspec
import pytest

from scoreboard.live.frames import text_frame, texts_in
from scoreboard.live.socketio.packets import (
    BadPacket,
    control,
    engine_packet,
    engine_packets,
    message,
    payload,
    socket_packet,
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('2["a",{"b":1}]', (2, "/", None, ["a", {"b": 1}])),
        ('217["a"]', (2, "/", 17, ["a"])),
        ('0{"token":"t"}', (0, "/", None, {"token": "t"})),
        ("0", (0, "/", None, None)),
        ("0/admin,{}", (0, "/admin", None, {})),
        ("0/admin?x=1,", (0, "/admin", None, None)),
        ("1", (1, "/", None, None)),
        ("31[]", (3, "/", 1, [])),
    ],
)
def test_a_packet_of_socket_io_is_read(text: str, told: tuple[object, ...]) -> None:
    """Type, namespace, acknowledgement, data."""
    packet = socket_packet(text)
    assert (packet.packet_type, packet.namespace, packet.id, packet.data) == told


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "7",
        "²",
        "2²[]",
        "٢[]",
        "2{",
        "2[1",
        '2["a",NaN]',
        '2["a",1e999]',
        '2["a",{"b":1,"b":2}]',
        '2["\\ud800"]',
    ],
)
def test_what_is_none_is_refused(text: str) -> None:
    """Also what Python's JSON would take."""
    with pytest.raises(BadPacket):
        socket_packet(text)


@pytest.mark.parametrize("text", ["2" + "1" * 200, "2" + "[" * 100_000, "299999999999-[]"])
def test_what_would_take_long_is_refused(text: str) -> None:
    """Long numbers, and JSON that is nested deeply."""
    with pytest.raises(BadPacket):
        socket_packet(text)


@pytest.mark.parametrize("text", ["", "7", "x", "²", "bA"])
def test_what_is_no_packet_of_engine_io_is_refused(text: str) -> None:
    """Its type is a digit of ASCII."""
    with pytest.raises(BadPacket):
        engine_packet(text)


def test_a_payload_is_packets_between_separators() -> None:
    """Text, and binary in base64."""
    packets = engine_packets(b'42["\xc3\xa4"]\x1e3\x1ebAAE=')
    assert [(each.packet_type, each.data) for each in packets] == [(4, '2["ä"]'), (3, ""), (4, b"\x00\x01")]


@pytest.mark.parametrize("body", [b"", b"\x1e", b"4a\x1e", b"\xff", b"d=4a", b"4\x1e" * 64 + b"4"])
def test_a_bad_payload_is_refused(body: bytes) -> None:
    """An empty packet, what is not UTF-8, the form of old browsers, too many packets."""
    with pytest.raises(BadPacket):
        engine_packets(body)


def test_what_is_said_is_what_the_protocol_has() -> None:
    """Byte for byte."""
    assert message(0, {"sid": "x"}) == '40{"sid":"x"}'
    assert message(2, ["a", msgspec.Raw(b"[1]")]) == '42["a",[1]]'
    assert message(3, [{}], name=12) == "4312[{}]"
    assert message(4, {"message": "m"}, namespace="/o") == '44/o,{"message":"m"}'
    assert (control(2), control(3, "probe"), control(0, "{}")) == ("2", "3probe", "0{}")
    assert payload(["2", '42["ä"]']) == '2\x1e42["ä"]'.encode()


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536])
def test_frames_can_be_taken_apart_again(size: int) -> None:
    """Of every length, one after the other."""
    texts = ["x" * size, "ä", "y" * size]
    assert texts == texts_in(b"".join(text_frame(each.encode()) for each in texts))
