"""What a client sends, as typed commands. Whatever it sends, there is a command or a `BadInput`, never an error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated

import msgspec

from actors.connection.commands import (
    Authenticate,
    BadInput,
    ClientCommand,
    CommandId,
    Ping,
    RequestToken,
    SpendToken,
    Subscribe,
    Unsubscribe,
)
from actors.leaderboard.events import Channel
from scoreboard.live.channels import KNOWN, WIDEST, channel_of, is_of_another, with_radius
from scoreboard.wire.scores import TokenJson, is_key
from scoreboard.wire.strict_json import read_strict

_INVALID = "INVALID_INPUT"
_NO_CHANNEL = BadInput("UNKNOWN_CHANNEL", f"There is no such channel; there are {KNOWN}.")
_NOT_YOURS = BadInput("FORBIDDEN", "What belongs to a player is shown to that player only, as player.me.")
_NO_RADIUS = BadInput(_INVALID, "Only the channels around_me have a radius.")
#: A longer name of a channel is not said back.
_LONGEST_NAME = 64
_BEARER = "bearer "


_Id = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)] | Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class _Envelope(msgspec.Struct, forbid_unknown_fields=True):
    event: str
    data: msgspec.Raw = msgspec.Raw(b"{}")


class _Subscribe(msgspec.Struct, forbid_unknown_fields=True):
    channel: str
    full: bool = False
    radius: Annotated[int, msgspec.Meta(ge=1, le=WIDEST)] | msgspec.UnsetType = msgspec.UNSET


class _Unsubscribe(msgspec.Struct, forbid_unknown_fields=True):
    channel: str


class _Authenticate(msgspec.Struct, forbid_unknown_fields=True):
    token: str


class _Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """The data of a command that needs none."""


class _Presented(msgspec.Struct, forbid_unknown_fields=True):
    """A token to spend, as the body and the header of REST have it."""

    actionToken: TokenJson  # noqa: N815 - as document A spells it
    idempotencyKey: str | msgspec.UnsetType = msgspec.UNSET  # noqa: N815


class _RequestToken(msgspec.Struct, forbid_unknown_fields=True, tag_field="event", tag=RequestToken.name):
    id: _Id
    data: _Nothing | msgspec.UnsetType = msgspec.UNSET

    @property
    def texts(self) -> int:
        """How many names and texts it is written with."""
        return 3 + isinstance(self.id, str) + (self.data is not msgspec.UNSET)

    def command(self) -> ClientCommand:
        return RequestToken(self.id)


class _SpendToken(msgspec.Struct, forbid_unknown_fields=True, tag_field="event", tag=SpendToken.name):
    id: _Id
    data: _Presented

    @property
    def texts(self) -> int:
        """How many names and texts it is written with."""
        return 12 + isinstance(self.id, str) + 2 * (self.data.idempotencyKey is not msgspec.UNSET)

    def command(self) -> ClientCommand:
        key = self.data.idempotencyKey
        if key is msgspec.UNSET:
            return SpendToken(self.id, self.data.actionToken.token())
        if not is_key(key):
            return BadInput(_INVALID, "The idempotencyKey must be 1 to 255 visible ASCII characters.", self.id)
        return SpendToken(self.id, self.data.actionToken.token(), key)


_SCORING = (RequestToken.name, SpendToken.name)
_DECODER: msgspec.json.Decoder[_RequestToken | _SpendToken] = msgspec.json.Decoder(_RequestToken | _SpendToken)


class _Event(msgspec.Struct):
    """Whatever else it is, it has a name."""

    event: str


class _Named(msgspec.Struct):
    """Whatever else it is, it may have an id."""

    id: _Id | None = None


class _Channelled(msgspec.Struct):
    """Whatever else it is, it has a channel."""

    channel: str


class _Shown(msgspec.Struct):
    """Whatever else it is, it is about a channel."""

    data: _Channelled


def command_of(message: str | bytes) -> ClientCommand:
    """The command in one WebSocket message."""
    if isinstance(message, bytes):
        return BadInput(_INVALID, "Commands are text messages; this one is binary.")
    try:
        return _read_scoring(message) or _read(message)
    except msgspec.ValidationError as error:
        return BadInput(
            _INVALID, f"The command is not as it should be: {error}.", _id_of(message), _channel_in(message)
        )
    except (ValueError, RecursionError):  # every other decoding error is a ValueError
        return BadInput(_INVALID, "The message is not one JSON object as RFC 8259 has it, with unique names.")


def _read_scoring(text: str) -> ClientCommand | None:
    """A scoring command, None if it is another one. Games send many, so each is parsed once.

    Where nothing is escaped every quote begins or ends a name or a text, and the names are known: one that stands twice
    shows in the number of quotes.
    """
    try:
        wish = _DECODER.decode(text)
    except msgspec.ValidationError:
        if msgspec.json.decode(text, type=_Event).event in _SCORING:
            raise
        return None
    if "\\" in text or text.count('"') != 2 * wish.texts:
        read_strict(text)
    return wish.command()


def _id_of(text: str) -> CommandId | None:
    try:
        return msgspec.json.decode(text, type=_Named).id
    except ValueError:
        return None


def _channel_in(text: str) -> str | None:
    """What the command calls its channel, if that can be said back."""
    try:
        name = msgspec.json.decode(text, type=_Shown).data.channel
    except ValueError:
        return None
    return name if len(name) <= _LONGEST_NAME else None


def _read(text: str) -> ClientCommand:
    read_strict(text)
    envelope = msgspec.json.decode(text, type=_Envelope)
    read = _READERS.get(envelope.event)
    if read is None:
        return BadInput(_INVALID, "There is no such event; there are " + ", ".join((*_READERS, *_SCORING)) + ".")
    return read(envelope.data)


def _with_channel(name: str, command: Callable[[Channel], ClientCommand]) -> ClientCommand:
    channel = channel_of(name)
    found = _NOT_YOURS if is_of_another(name) else _NO_CHANNEL if channel is None else command(channel)
    if isinstance(found, BadInput) and len(name) <= _LONGEST_NAME:
        return replace(found, channel=name)
    return found


def _subscribe(data: msgspec.Raw) -> ClientCommand:
    wish = msgspec.json.decode(data, type=_Subscribe)

    def subscribe(channel: Channel) -> ClientCommand:
        wanted = channel if wish.radius is msgspec.UNSET else with_radius(channel, wish.radius)
        return _NO_RADIUS if wanted is None else Subscribe(wanted, full=wish.full)

    return _with_channel(wish.channel, subscribe)


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

#: What each command's data look like, for who describes them; None: anything.
DATA_OF_COMMANDS: Mapping[str, type[msgspec.Struct] | None] = {
    "subscribe": _Subscribe,
    "unsubscribe": _Unsubscribe,
    "authenticate": _Authenticate,
    "ping": None,
    RequestToken.name: _Nothing,
    SpendToken.name: _Presented,
}
