"""What a client sends, as typed commands. Whatever it sends, there is a command or a `BadInput`, never an error."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec

from actors.connection.commands import Authenticate, BadInput, ClientCommand, Ping, Subscribe, Unsubscribe
from actors.leaderboard.events import Channel
from scoreboard.live.channels import LARGEST, channel_of

_INVALID = "INVALID_INPUT"
_NO_CHANNEL = BadInput("UNKNOWN_CHANNEL", f"There is no such channel; there are leaderboard.top1 to top{LARGEST}.")
_BEARER = "bearer "


class _Envelope(msgspec.Struct, forbid_unknown_fields=True):
    event: str
    data: msgspec.Raw = msgspec.Raw(b"{}")


class _Subscribe(msgspec.Struct, forbid_unknown_fields=True):
    channel: str
    full: bool = False


class _Unsubscribe(msgspec.Struct, forbid_unknown_fields=True):
    channel: str


class _Authenticate(msgspec.Struct, forbid_unknown_fields=True):
    token: str


def command_of(message: str | bytes) -> ClientCommand:
    """The command in one WebSocket message."""
    if isinstance(message, bytes):
        return BadInput(_INVALID, "Commands are text messages; this one is binary.")
    try:
        return _read(message)
    except msgspec.ValidationError as error:
        return BadInput(_INVALID, f"The command is not as it should be: {error}.")
    except (ValueError, RecursionError):  # every other decoding error is a ValueError
        return BadInput(_INVALID, "The message is not one JSON object as RFC 8259 has it, with unique names.")


def _read(text: str) -> ClientCommand:
    _refuse_loose_json(text)
    envelope = msgspec.json.decode(text, type=_Envelope)
    read = _READERS.get(envelope.event)
    if read is None:
        return BadInput(_INVALID, "There is no such event; there are " + ", ".join(_READERS) + ".")
    return read(envelope.data)


def _refuse_loose_json(text: str) -> None:
    """A name given twice means one thing to us and another to the next reader; msgspec sees all else but that."""
    msgspec.json.decode(text)
    json.loads(text, object_pairs_hook=_unique)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a name stands twice in one object")
    return fields


def _with_channel(name: str, command: Callable[[Channel], ClientCommand]) -> ClientCommand:
    channel = channel_of(name)
    return _NO_CHANNEL if channel is None else command(channel)


def _subscribe(data: msgspec.Raw) -> ClientCommand:
    wish = msgspec.json.decode(data, type=_Subscribe)
    return _with_channel(wish.channel, lambda channel: Subscribe(channel, full=wish.full))


def _unsubscribe(data: msgspec.Raw) -> ClientCommand:
    return _with_channel(msgspec.json.decode(data, type=_Unsubscribe).channel, Unsubscribe)


def _authenticate(data: msgspec.Raw) -> ClientCommand:
    return Authenticate(without_bearer(msgspec.json.decode(data, type=_Authenticate).token))


def _ping(data: msgspec.Raw) -> ClientCommand:
    return Ping(bytes(data))


def without_bearer(token: str) -> str:
    """A token with or without the word `Bearer` in front of it, in any case."""
    bare = token.strip()
    return bare[len(_BEARER) :].lstrip() if bare.lower().startswith(_BEARER) else bare


_READERS: dict[str, Callable[[msgspec.Raw], ClientCommand]] = {
    "subscribe": _subscribe,
    "unsubscribe": _unsubscribe,
    "authenticate": _authenticate,
    "ping": _ping,
}
