"""The verbs by themselves; what each does is tested where it does it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from scoreboard.__main__ import main

KEYS = ["key", "list"]
SERVICES = ["service", "add", "arena"]
STORES = ["action", "list"]


@pytest.mark.parametrize("verb", [KEYS, SERVICES, STORES, ["audit", "verify"], ["user", "role", "ann", "admin"]])
def test_a_wrong_setting_ends_every_verb_with_a_sentence_and_status_2(verb: list[str]) -> None:
    """As it ends the server itself: it was asked wrongly, and nothing was done."""
    result = CliRunner().invoke(main, verb, env={"SCOREBOARD_DOOR_PORT": "many"})
    assert 2 == result.exit_code
    assert result.output.startswith("scoreboard: ")
    assert "SCOREBOARD_DOOR_PORT is 'many'" in result.output


@pytest.mark.parametrize("verb", [KEYS, SERVICES, [*STORES, "--postgres", "postgresql://127.0.0.1:1/none"]])
def test_what_cannot_be_reached_ends_a_verb_with_a_sentence_and_status_1(verb: list[str], tmp_path: Path) -> None:
    """Of a file where a folder should be, or of a database that is away; no traceback."""
    (tmp_path / "keys").write_text("not a folder")
    (tmp_path / "services").write_text("nor this")
    result = CliRunner().invoke(main, [*verb, "--data", str(tmp_path)])
    assert 1 == result.exit_code
    assert result.output.startswith("scoreboard: ")
    assert isinstance(result.exception, SystemExit)
