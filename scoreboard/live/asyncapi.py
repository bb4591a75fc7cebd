"""The live feed described, AsyncAPI 3: commands by the shapes that read them, events by those that are encoded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from types import NoneType
from typing import Any, get_args, get_type_hints

import msgspec

from actors.connection.events import Answered, ErrorEvent, PersonalEvent, Pong, Refused, SignedIn, Unsubscribed
from actors.leaderboard.events import (
    BoardDiff,
    BoardEvent,
    BoardFull,
    Channel,
    NewLeader,
    OwnFull,
    RankChange,
    Row,
    ScoreChange,
)
from actors.ports import ALL_TIME, UserId
from actors.user.messages import ScoreAnswer
from scoreboard.live import dialect, dialect_a
from scoreboard.live.channels import KNOWN, ME
from scoreboard.live.commands import DATA_OF_COMMANDS
from scoreboard.live.dialect import Spoken

Json = dict[str, Any]

ABOUT = f"""\
One feed on three transports: a WebSocket in the words of either document, server-sent events, and Socket.IO at
`/socket.io/`. Channels to subscribe to: {KNOWN}. [The document](/docs/live.md) says how to stay in step."""
CLOSE_CODES: Mapping[int, str] = {
    1000: "You closed.",
    1001: "The server goes down: come back after a random pause of some seconds.",
    1002: "The frames break the protocol: mend the client.",
    1007: "A frame is not the text that it should be: mend the client.",
    1008: "Too many frames, or too many fragments: mend the client.",
    1009: "A message is too large: mend the client.",
    1011: "The server failed on this connection: come back after a pause.",
    1012: "The server is being renewed: come back after the seconds that the reason says, `retryAfter=1.4`.",
    1013: "All connections of your address send too much together: come back after the seconds that the reason says.",
    4001: "The session by which you were signed in has ended: sign in anew, or come back to watch only.",
}
ADDRESSES: Mapping[str, str] = {
    "/ws/leaderboard": "A WebSocket in the words of document B.",
    "/ws": "A WebSocket in the words of document A, subscribed to the first ten at once.",
    "/api/v1/leaderboard/stream": "Server-sent events in the words of document B; nothing can be said on it.",
}
#: What answers a command; nobody hears it where nothing can be said.
_ANSWERS = (SignedIn, Unsubscribed, Pong, Answered, Refused)
_SAYS: Mapping[str, Mapping[type, tuple[str, Callable[[Any], Any]]]] = {
    "/ws/leaderboard": dialect.EVENTS,
    "/ws": {**dialect.EVENTS, **dialect_a.EVENTS},
    "/api/v1/leaderboard/stream": {event: of for event, of in dialect.EVENTS.items() if event not in _ANSWERS},
}
_SPOKEN: Mapping[str, Callable[[BoardEvent | PersonalEvent], Spoken | None]] = {
    "/ws/leaderboard": dialect.spoken_b,
    "/ws": dialect_a.spoken_a,
    "/api/v1/leaderboard/stream": dialect.spoken_b,
}
_SCHEMA = "#/components/schemas/{name}"


def document() -> Json:
    """All channels of the transport, what is said on each, and what a client may say."""
    channels: Json = {}
    operations: Json = {}
    shapes = [shape for says in _SAYS.values() for of_word in shapes_of(says).values() for shape in of_word]
    shapes += filter(None, DATA_OF_COMMANDS.values())
    _, schemas = msgspec.json.schema_components(shapes, ref_template=_SCHEMA)
    for address, purpose in ADDRESSES.items():
        name = address.strip("/").replace("/", "_")
        speaks = not address.endswith("stream")
        samples = _said(_SPOKEN[address])
        words = shapes_of(_SAYS[address]).items()
        told = {f"told.{word}": _event(word, shapes, samples.get(word, [])) for word, shapes in words}
        asked = {f"asked.{word}": _command(word, shape) for word, shape in DATA_OF_COMMANDS.items()} if speaks else {}
        channels[name] = {"address": address, "description": purpose, "messages": {**told, **asked}}
        operations[f"hear_{name}"] = _operation("receive", name, told)
        if asked:
            channels[name]["x-close-codes"] = {str(code): meaning for code, meaning in CLOSE_CODES.items()}
            operations[f"say_{name}"] = _operation("send", name, asked)
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Scoreboard, live", "version": version("scoreboard"), "description": ABOUT},
        "channels": channels,
        "operations": operations,
        "components": {"schemas": schemas},
    }


def _operation(action: str, channel: str, messages: Iterable[str]) -> Json:
    """`action` is the client's: what it receives, and what it sends."""
    references = [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in messages]
    return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}, "messages": references}


def _command(word: str, shape: type[msgspec.Struct] | None) -> Json:
    data = {} if shape is None else _schema_of(shape)
    return {"name": word, "payload": _envelope(word, data, required=["event"])}


def _event(word: str, shapes: list[Any], samples: list[Json]) -> Json:
    schemas = [_schema_of(shape) for shape in shapes]
    data = {} if not schemas else schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    examples = [{"payload": {"event": word, "data": sample}} for sample in samples]
    payload = _envelope(word, data, required=["event", "data"])
    return {"name": word, "payload": payload, "examples": examples}


def _envelope(word: str, data: Json, required: list[str]) -> Json:
    name = {"type": ["string", "integer"], "description": "What the client calls the command; told in the answer."}
    properties = {"event": {"const": word}, "id": name, "data": data}
    return {"type": "object", "required": required, "properties": properties}


def _schema_of(shape: Any) -> Json:
    found: Json = msgspec.json.schema_components([shape], ref_template=_SCHEMA)[0][0]
    return found


def shapes_of(events: Mapping[type, tuple[str, Callable[[Any], Any]]]) -> dict[str, list[Any]]:
    """Each event's name, and what its data may be, as who makes them declares it; nothing for what may be anything."""
    found: dict[str, list[Any]] = {}
    for word, make in events.values():
        made = get_type_hints(make)["return"]
        for shape in get_args(made) or (made,):
            if shape is msgspec.Raw:
                found.setdefault(word, [])
            elif shape is not NoneType and shape not in found.setdefault(word, []):
                found[word].append(shape)
    return found


# --- samples of all that can be said ---


def _said(say: Callable[[BoardEvent | PersonalEvent], Spoken | None]) -> dict[str, list[Json]]:
    """Each event's name, with its data in the words of one dialect."""
    found: dict[str, list[Json]] = {}
    for event in _samples():
        spoken = say(event)
        if spoken is not None:
            found.setdefault(spoken[0], []).append(msgspec.json.decode(msgspec.json.encode(spoken[1])))
    return found


def _samples() -> Iterable[BoardEvent | PersonalEvent]:
    at_us, ada = 1_769_860_800_000_000, UserId("9f3c1d2e-4b5a-4c6d-8e7f-0a1b2c3d4e5f")
    row, top = Row(1, ada, "Ada", 120, at_us, "GB", "https://example.org/ada.png"), Channel(ALL_TIME, 10)
    yield BoardFull(top, "5b1f", 7, (row,), 20, 1873542290, at_us, at_us)
    yield BoardDiff(top, "5b1f", 7, 8, (row,), (ada,), 20, 1873542290, at_us)
    yield OwnFull(ME, "5b1f", 7, (row,), 20, 1873542290, at_us)
    yield RankChange(top, ada, "Ada", 11, 1, 120, at_us)
    yield ScoreChange(top, ada, "Ada", 110, 120, 11, 1, at_us)
    yield NewLeader(top, row, row, at_us)
    yield SignedIn(ada, "Ada")
    yield Unsubscribed(top)
    yield Pong(b"{}")
    yield ErrorEvent("UNKNOWN_CHANNEL", "There is no such channel.", channel="leaderboard.top0")
    yield Answered(1, ScoreAnswer(120, 2, 1, repeated=False))
