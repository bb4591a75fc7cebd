from __future__ import annotations

from typing import Any

import pytest
from jsonschema_rs import ValidationError

from scoreboard.live import asyncapi, commands, dialect, dialect_a
from scoreboard.live.commands import command_of
from tests.live.described import hold
from tests.references import follow_references


def test_every_event_and_command_is_described() -> None:
    """By the names under which the code says and reads them."""
    told = asyncapi.document()["channels"]
    said = {message["name"] for channel in told.values() for message in channel["messages"].values()}
    assert {word for word, _ in dialect.EVENTS.values()} | {dialect_a._UPDATE, "score_changed", "rank_changed"} <= said
    assert {*commands._READERS, *commands._SCORING} == set(commands.DATA_OF_COMMANDS) <= said


@pytest.mark.parametrize("address", ["ws", "ws_leaderboard", "api_v1_leaderboard_stream"])
def test_every_reference_leads_somewhere(address: str) -> None:
    """Operations name messages that are there, messages shapes that are there."""
    document = asyncapi.document()

    follow_references([document["channels"][address], document["operations"]], document)


@pytest.mark.parametrize("channel", asyncapi.document()["channels"].values(), ids=lambda channel: channel["address"])
def test_examples_are_what_is_described(channel: dict[str, Any]) -> None:
    """Rows with all that players may show; what is left out must be optional, and nothing else may be said."""
    examples = [each["payload"] for message in channel["messages"].values() for each in message.get("examples", ())]
    for said in examples:
        hold(channel["address"], said)
        for field in set(said["data"]) - {"channel", "check", "resetsAt"}:
            with pytest.raises(ValidationError):
                hold(channel["address"], {**said, "data": {k: v for k, v in said["data"].items() if k != field}})
        with pytest.raises(ValidationError):
            hold(channel["address"], {**said, "more": 1})
    assert examples


def test_close_codes_are_those_of_the_document() -> None:
    """Both are written by hand."""
    text = (commands.__file__.rsplit("/", 2)[0] + "/docs/live.md").replace("//", "/")
    with open(text, encoding="utf-8") as file:  # noqa: PTH123 - beside the package
        rows = [line for line in file.read().partition("## When the connection closes")[2].splitlines() if "|" in line]
    assert all(any(str(code) in row.split("|")[1] for row in rows) for code in asyncapi.CLOSE_CODES)


def test_what_is_no_command_is_not_described() -> None:
    """The reader would refuse it."""
    for word in commands.DATA_OF_COMMANDS:
        told = repr(command_of(f'{{"event": "{word}", "id": 1}}'))
        assert "no such event" not in told
