"""The verbs by themselves; what each does is tested where it does it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from scoreboard.__main__ import main

#: All that are about a server which is set up, and do not ask one that runs.
ABOUT_A_SERVER = [
    ["key", "list"],
    ["key", "rotate", "jwt"],
    ["key", "add", "sword", "{pem}"],
    ["key", "retire", "game-1"],
    ["key", "retire", "master-1"],
    ["key", "rewrap"],
    ["service", "add", "arena"],
    ["service", "limit", "arena", "--rows-per-minute", "5"],
    ["service", "list"],
    ["service", "revoke", "arena"],
    ["user", "role", "ann", "admin"],
    ["user", "erase", "ann", "--yes"],
    ["action", "list"],
    ["audit", "verify"],
    ["audit", "show"],
    ["fraud", "events"],
    ["backup", "{to}"],
]
#: Those that ask the server which runs there.
ASKING = [["status"], ["reload"], ["drain"], ["rebuild"]]
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


def everything(folder: Path) -> list[str]:
    """All that is there."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("verb", [*ABOUT_A_SERVER, *ASKING], ids=" ".join)
@pytest.mark.parametrize("there", [False, True], ids=["nowhere", "in an empty folder"])
def test_a_folder_that_holds_no_server_is_named_and_left_as_it_is(tmp_path: Path, verb: list[str], there: bool) -> None:  # noqa: FBT001 - by pytest
    """A mistyped --data: a folder with keys of its own, or a database, that nobody serves, would look like success."""
    (tmp_path / "sword.pem").write_text("a key")
    mistyped = tmp_path / "dtaa"
    if there:
        mistyped.mkdir()
    before = everything(tmp_path)
    words = [word.format(pem=tmp_path / "sword.pem", to=tmp_path / "backup") for word in verb]
    result = CliRunner().invoke(main, [*words, "--data", str(mistyped)])
    assert (before, 3 if verb in ASKING else 1) == (everything(tmp_path), result.exit_code)
    assert str(mistyped) in result.output
    assert isinstance(result.exception, SystemExit)


@pytest.mark.parametrize("verb", [KEYS, SERVICES, STORES, ["backup", "{to}"]], ids=" ".join)
def test_a_server_of_another_account_is_not_called_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: list[str]
) -> None:
    """Its data directory is closed to others: who believed that it holds none would set up a second one."""
    look = os.lstat

    def closed(path: os.PathLike[str] | str) -> os.stat_result:
        if Path(path) == tmp_path / "keys":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(path))
        return look(path)

    monkeypatch.setattr(os, "lstat", closed)
    words = [word.format(to=tmp_path / "backup") for word in verb]
    result = CliRunner().invoke(main, [*words, "--data", str(tmp_path)])
    assert (1, True) == (result.exit_code, isinstance(result.exception, SystemExit))
    assert f"scoreboard: {tmp_path / 'keys'}: Permission denied" in result.output
    assert "holds no server" not in result.output
