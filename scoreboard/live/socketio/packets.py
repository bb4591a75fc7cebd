"""Packets of Engine.IO and Socket.IO, by the codecs of python-engineio and python-socketio, strict about what comes in.

Those codecs let pass what JSON does not have, and names given twice; so they get a JSON of ours. A packet of Engine.IO
carries text here: what it holds is not looked into.
"""

from __future__ import annotations

from typing import Any, NoReturn

import msgspec

from scoreboard.live.socketio.codecs import MESSAGE, AnyEnginePacket, AnyPayload, AnySocketPacket
from scoreboard.wire.strict_json import read_strict

#: Between two packets of a payload.
SEPARATOR = "\x1e"

_MOST_IN_PAYLOAD = 64
_TYPES = "0123456"
NAMESPACE = "/"


class BadPacket(ValueError):
    """These bytes are no packet, or none that a client may send; the sentence says why."""


class _StrictJson:
    """JSON as RFC 8259 has it, with unique names."""

    @staticmethod
    def loads(text: str) -> Any:
        """Raises ValueError or RecursionError."""
        return read_strict(text)

    @staticmethod
    def dumps(value: Any, **_: Any) -> str:
        """Also of structs and of what is JSON already (`msgspec.Raw`)."""
        return msgspec.json.encode(value).decode()


class _Untouched:
    """In place of JSON where it has nothing to do."""

    @staticmethod
    def loads(_: str) -> NoReturn:
        raise ValueError("left as it is")


class EnginePacket(AnyEnginePacket):  # type: ignore[misc]  # it carries no types
    """A packet of Engine.IO: `packet_type`, and `data`, a text, or bytes where it is `binary`."""

    json = _Untouched
    packet_type: int
    data: str | bytes | None
    binary: bool


class SocketPacket(AnySocketPacket):  # type: ignore[misc]  # it carries no types
    """A packet of Socket.IO: `packet_type`, `namespace`, `id` (of an acknowledgement), `data`, `attachment_count`."""

    json = _StrictJson
    packet_type: int
    namespace: str | None
    id: int | None
    data: Any
    attachment_count: int


class _Payload(AnyPayload):  # type: ignore[misc]  # it carries no types
    max_decode_packets = _MOST_IN_PAYLOAD


def engine_packet(message: str | bytes) -> EnginePacket:
    """What came in one message of a WebSocket, or between two separators of a payload.

    Raises:
        BadPacket: it is none.
    """
    if isinstance(message, str) and (not message or message[0] not in _TYPES + "b"):
        raise BadPacket("A packet of Engine.IO begins with its type, 0 to 6.")
    try:
        return EnginePacket(encoded_packet=message)
    except ValueError as error:
        raise BadPacket("This is no packet of Engine.IO.") from error


def engine_packets(body: bytes) -> list[EnginePacket]:
    """What came in the body of one request.

    Raises:
        BadPacket: not UTF-8, too many packets, or one that is none.
    """
    try:
        parts = body.decode().split(SEPARATOR)
    except UnicodeDecodeError as error:
        raise BadPacket("A payload is UTF-8.") from error
    if len(parts) > _MOST_IN_PAYLOAD:
        raise BadPacket(f"A payload has {_MOST_IN_PAYLOAD} packets at most.")
    return [engine_packet(part) for part in parts]


def payload(packets: list[str]) -> bytes:
    """The body of an answer to a poll, of packets that are ready."""
    ready = _Payload([EnginePacket(int(packet[0]), packet[1:]) for packet in packets])
    return str(ready.encode()).encode()


def control(packet_type: int, data: str = "") -> str:
    """A packet of Engine.IO alone."""
    return str(EnginePacket(packet_type, data or None).encode())


def socket_packet(text: str) -> SocketPacket:
    """What came in a message of Engine.IO.

    Raises:
        BadPacket: it is none.
    """
    try:
        packet = SocketPacket(encoded_packet=text)
    except (ValueError, RecursionError, TypeError) as error:
        raise BadPacket("This is no packet of Socket.IO with JSON as RFC 8259 has it, with unique names.") from error
    if not text or text[0] not in _TYPES:
        raise BadPacket("A packet of Socket.IO begins with its type, 0 to 6.")
    packet.namespace = packet.namespace or NAMESPACE
    return packet


def message(packet_type: int, data: Any = None, *, namespace: str = NAMESPACE, name: int | None = None) -> str:
    """A packet of Socket.IO in one of Engine.IO, ready to be sent; `name` is that of an acknowledgement."""
    packet = SocketPacket(packet_type, data, namespace=namespace, id=name, binary=False)
    return control(MESSAGE, packet.encode())
