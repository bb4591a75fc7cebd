"""The live feed described, AsyncAPI 3: commands by the shapes that read them, events as the dialects say them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from typing import Any

import msgspec

from actors.connection.events import Answered, ErrorEvent, PersonalEvent, Pong, SignedIn, Unsubscribed
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
from scoreboard.live.channels import KNOWN, ME
from scoreboard.live.commands import DATA_OF_COMMANDS
from scoreboard.live.dialect import Spoken, spoken_b
from scoreboard.live.dialect_a import spoken_a

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
}
ADDRESSES: Mapping[str, str] = {
    "/ws/leaderboard": "A WebSocket in the words of document B.",
    "/ws": "A WebSocket in the words of document A, subscribed to the first ten at once.",
    "/api/v1/leaderboard/stream": "Server-sent events in the words of document B; nothing can be said on it.",
}
_SAYS: Mapping[str, Callable[[Any], Spoken | None]] = {
    "/ws/leaderboard": spoken_b,
    "/ws": spoken_a,
    "/api/v1/leaderboard/stream": spoken_b,
}
_SCHEMA = "#/components/schemas/{name}"


def document() -> Json:
    """All channels of the transport, what is said on each, and what a client may say."""
    channels: Json = {}
    operations: Json = {}
    _, schemas = msgspec.json.schema_components(filter(None, DATA_OF_COMMANDS.values()), ref_template=_SCHEMA)
    for address, purpose in ADDRESSES.items():
        name = address.strip("/").replace("/", "_")
        speaks = not address.endswith("stream")
        told = {f"told.{word}": _event(word, samples) for word, samples in _said(_SAYS[address]).items()}
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
    data = {} if shape is None else msgspec.json.schema_components([shape], ref_template=_SCHEMA)[0][0]
    return {"name": word, "payload": _envelope(word, data)}


def _event(word: str, samples: list[Json]) -> Json:
    fields: Json = {}
    for sample in samples:
        fields |= {name: _schema_of(value) for name, value in sample.items() if fields.get(name) in (None, {})}
    data = {"type": "object", "properties": fields} if fields else {}
    examples = [{"payload": {"event": word, "data": sample}} for sample in samples]
    return {"name": word, "payload": _envelope(word, data), "examples": examples}


def _envelope(word: str, data: Json) -> Json:
    name = {"type": ["string", "integer"], "description": "What the client calls the command; told in the answer."}
    properties = {"event": {"const": word}, "id": name, "data": data}
    return {"type": "object", "required": ["event"], "properties": properties}


def _schema_of(value: Any) -> Json:
    """The type of a value that was said; nothing of one that was left open."""
    match value:
        case bool():
            return {"type": "boolean"}
        case int():
            return {"type": "integer"}
        case str():
            return {"type": "string"}
        case list():
            return {"type": "array", **({"items": _schema_of(value[0])} if value else {})}
        case dict():
            return {"type": "object", "properties": {name: _schema_of(each) for name, each in value.items()}}
    return {}


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
    row, top = Row(1, ada, "Ada", 120, at_us), Channel(ALL_TIME, 10)
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
