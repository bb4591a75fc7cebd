from __future__ import annotations

import io
import json
import logging
import resource

import pytest
from click.testing import CliRunner

from scoreboard import __main__ as command_line
from scoreboard.__main__ import main
from scoreboard.observe.logs import make_logger
from scoreboard.settings import Door, Settings
from tests.served import TOP


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


def test_more_than_one_worker_is_refused_with_a_sentence() -> None:
    """A flag that would silently do nothing is worse than none."""
    result = CliRunner().invoke(main, ["serve", "--workers", "2"])
    assert 2 == result.exit_code
    assert "more than one worker is not supported yet" in result.output


@pytest.mark.parametrize("library", ["asyncpg.pool", "a.library.of.tomorrow"])
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

    monkeypatch.setattr(command_line, "_run", run)
    said = json.loads(CliRunner().invoke(main, ["serve"]).output)
    assert (library, "retrying") == (said["logger"], said["message"])
    assert "OSError: connection reset" in said["exception"]


def test_it_tells_its_version() -> None:
    """What an operator is asked first."""
    result = CliRunner().invoke(main, ["--version"])
    assert 0 == result.exit_code
    assert result.output.startswith("main 0.") or result.output.startswith("scoreboard 0.")


@pytest.mark.parametrize(
    ("hard", "told"), [(10_100, None), (10_099, 10_099), (resource.RLIM_INFINITY, None)], ids=["just", "few", "any"]
)
def test_it_takes_the_descriptors_that_it_may_have_and_says_when_they_are_too_few(
    hard: int, told: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shell's soft limit of 1,024 must not be what the ten thousandth client meets; a hard one is said at start."""
    taken: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: taken.append(limits))
    lines = io.StringIO()
    log = make_logger(style="json", stream=lines)
    command_line._allow_connections(Settings(door=Door(connections=10_000)), log)
    assert [(hard, hard)] == taken
    said = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert ([] if told is None else [("few_descriptors", told, 10_000)]) == [
        (line["event"], line["allowed"], line["connections"]) for line in said
    ]
