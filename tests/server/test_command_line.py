from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from scoreboard.__main__ import VERBS, main
from scoreboard.security.keyfolder import load_keys
from scoreboard.server import serve_command
from tests.served import TOP

SERVING = {"quart", "hypercorn", "socketio", "trio_websocket"}
DRIVERS = {"asyncpg", "redis"}


def test_the_page_of_settings_is_the_one_that_the_program_prints() -> None:
    """docs/settings.md cannot fall behind the code."""
    printed = CliRunner().invoke(main, ["settings"]).output
    assert printed in (TOP / "scoreboard" / "docs" / "settings.md").read_text()


def test_wrong_settings_are_all_named_and_end_with_status_2() -> None:
    """An operator who made two mistakes hears of both at once."""
    wrong = {"SCOREBOARD_DOOR_PORT": "many", "SCOREBOARD_BORD_TICK_S": "1"}
    result = CliRunner().invoke(main, ["serve"], env=wrong)
    assert 2 == result.exit_code
    assert "SCOREBOARD_DOOR_PORT is 'many', but must be a whole number" in result.output
    assert "did you mean SCOREBOARD_BOARD_TICK_S?" in result.output


def test_a_worker_that_is_started_by_hand_says_who_starts_it() -> None:
    """With status 2, as for every mistake on the command line."""
    result = subprocess.run(
        [sys.executable, "-m", "scoreboard", "worker", "1"],
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        cwd=TOP,
        timeout=60,
    )
    said = "scoreboard: worker 1: a worker is started by scoreboard serve --workers, not by hand\n"
    assert (2, said) == (result.returncode, result.stderr)


@pytest.mark.parametrize("library", ["asyncpg", "a.library.of.tomorrow"])
def test_every_library_speaks_in_our_format(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that is read by a program has no line in it that is not JSON, tracebacks of drivers included."""
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)

    def run(*_: object) -> int:
        try:
            raise OSError("connection reset")
        except OSError:
            logging.getLogger(library).warning("retrying", exc_info=True)
        return 0

    monkeypatch.setattr(serve_command, "_run", run)
    said = json.loads(CliRunner().invoke(main, ["serve"]).output)
    assert (library, "retrying") == (said["logger"], said["message"])
    assert "OSError: connection reset" in said["exception"]


def test_it_tells_its_version() -> None:
    """What an operator is asked first."""
    result = CliRunner().invoke(main, ["--version"])
    assert 0 == result.exit_code
    assert result.output.startswith("main 0.") or result.output.startswith("scoreboard 0.")


@pytest.mark.parametrize(
    ("words", "unwanted"),
    [
        (["--help"], SERVING | DRIVERS),
        (["settings"], SERVING | DRIVERS),
        (["service", "list"], SERVING | DRIVERS),
        (["key", "list"], SERVING),  # one of its verbs goes to the database
        (["audit", "--help"], SERVING),
    ],
)
def test_a_verb_loads_no_more_than_it_needs(words: list[str], unwanted: set[str], tmp_path: Path) -> None:
    """Who looks after services waits for no database driver, and no verb for a web framework."""
    load_keys(tmp_path)  # a server was set up there
    program = (
        "import sys; from scoreboard.__main__ import main\n"
        "try: main(sys.argv[1:])\n"
        f"finally: print(*{unwanted!r} & set(sys.modules), file=sys.stderr)"
    )
    told = subprocess.run(
        [sys.executable, "-c", program, *words],
        env={**os.environ, "SCOREBOARD_DATA_DIR": str(tmp_path), "PYTHONPATH": str(TOP)},
        check=True,
        capture_output=True,
        text=True,
        cwd=TOP,
        timeout=60,
    )
    assert "" == told.stderr.strip()


@pytest.mark.parametrize("name", VERBS)
def test_the_help_says_of_each_verb_what_its_own_help_says(name: str) -> None:
    """Without loading it; one that is not told is hidden."""
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert (None if command.hidden else command.get_short_help_str(limit=200)) == VERBS[name].says
    shown = " ".join(CliRunner().invoke(main, ["--help"]).output.split())
    assert (VERBS[name].says is not None) == ((VERBS[name].says or "what nobody says") in shown)
