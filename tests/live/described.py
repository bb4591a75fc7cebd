"""Holds what tests hear on the live feed against its description, as `tests.api.declared` does with answers of REST."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from jsonschema_rs import Draft202012Validator

from scoreboard.live import asyncapi


def hold(address: str, said: dict[str, Any]) -> None:
    """An event in its envelope is as the channel of that address describes it, and tells nothing beyond that."""
    _validator(address.partition("?")[0], said["event"]).validate(said)


def hold_packet(packet: str) -> None:
    """An event of Socket.IO, as the WebSocket of the document describes it whose word it is."""
    if not packet.startswith("42"):
        return
    word, *data = json.loads(packet[2:])
    of_a = word in {"leaderboard_update", "score_changed", "rank_changed"}
    hold("/ws" if of_a else "/ws/leaderboard", {"event": word, "data": data[0] if data else None})


@cache
def _validator(address: str, word: str) -> Draft202012Validator:
    document = asyncapi.document()
    channel = next(each for each in document["channels"].values() if each["address"] == address)
    payload = channel["messages"][f"told.{word}"]["payload"]
    return Draft202012Validator(_closed({**payload, "components": document["components"]}))


def _closed(schema: Any) -> Any:
    """The same, but what is not described is wrong."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _closed(each) for name, each in schema.items()}
    return {**found, "additionalProperties": False} if schema.get("type") == "object" else found
