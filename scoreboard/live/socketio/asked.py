"""What a client of Socket.IO asks, as typed commands: an event's name and its one argument."""

from __future__ import annotations

import msgspec

from actors.connection.commands import BadInput, ClientCommand, Ping, RequestToken, SpendToken
from scoreboard.live.commands import command_of
from scoreboard.live.socketio.codecs import BINARY_EVENT, EVENT
from scoreboard.live.socketio.packets import SocketPacket

_INVALID = "INVALID_INPUT"
_SCORING = (RequestToken.name, SpendToken.name)


def asked(packet: SocketPacket) -> ClientCommand:
    """The command in an event; there always is one, perhaps `BadInput`."""
    if packet.packet_type == BINARY_EVENT or packet.attachment_count:
        return BadInput(_INVALID, "Events are JSON here; this one has binary attachments.")
    data = packet.data
    if packet.packet_type != EVENT or not isinstance(data, list) or not data or not isinstance(data[0], str):
        return BadInput(_INVALID, "An event has a name, and perhaps one argument.")
    name, *arguments = data
    if len(arguments) > 1:
        return BadInput(_INVALID, "An event has one argument at most; a function to be called back does not count.")
    return _command(name, arguments, packet.id)


def _command(name: str, arguments: list[object], answer: int | None) -> ClientCommand:
    if name == "ping" and not arguments:
        return Ping(b"")
    envelope: dict[str, object] = {"event": name}
    if arguments:
        envelope["data"] = _full_by_default(arguments[0]) if name == "subscribe" else arguments[0]
    if name in _SCORING:
        if answer is None:
            return BadInput(_INVALID, f"{name} is answered by an acknowledgement: emit it with a callback.")
        envelope["id"] = answer
    return command_of(msgspec.json.encode(envelope).decode())


def _full_by_default(argument: object) -> object:
    """A client written for document B knows no differences, so it gets whole boards unless it says otherwise."""
    return {"full": True, **argument} if isinstance(argument, dict) else argument
