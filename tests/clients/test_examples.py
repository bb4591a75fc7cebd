"""The examples of docs/clients.md, run as they stand against a real server."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.clients.talking import node_with_sockets
from tests.served import TOP, Player, ServedScoreboard, served

PAGE = (TOP / "scoreboard/docs/clients.md").read_text()
WEB = TOP / "scoreboard" / "web"
ADDRESS = "http://127.0.0.1:8000"
WITHIN_S = 60.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedScoreboard]:
    """A real server on which Ada has a point."""
    with served(tmp_path_factory.mktemp("examples") / "data") as running:
        ada = Player(running, "Ada")
        ada.score(1)
        ada.leave()
        yield running


def blocks(language: str) -> list[str]:
    """The examples in a language, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@contextmanager
def running(words: list[str], folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A program for the time of a block."""
    environ = {"PYTHONPATH": str(TOP), "PYTHONUNBUFFERED": "1", "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(
        words, cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as one:
        try:
            yield one
        finally:
            one.kill()


def javascript(server: ServedScoreboard, folder: Path, block: int) -> list[str]:
    """An example as a file beside a copy of the module."""
    for name in ("client.js", "package.json"):
        shutil.copy(WEB / name, folder)
    (folder / "example.mjs").write_text(blocks("js")[block].replace(ADDRESS, server.url))
    return [*node_with_sockets(), "example.mjs"]


def python(server: ServedScoreboard, folder: Path, block: int) -> list[str]:
    """An example as a file."""
    (folder / "example.py").write_text(blocks("python")[block].replace(ADDRESS, server.url))
    return [sys.executable, "-W", "error", "example.py"]


@pytest.mark.parametrize("language", [javascript, python])
def test_the_board_is_shown(server: ServedScoreboard, tmp_path: Path, language: object) -> None:
    """Ada with her point, first; the example goes on for as long as it is let."""
    assert callable(language)
    with running(language(server, tmp_path, 0), tmp_path) as example:
        assert example.stdout is not None
        said = []
        for line in example.stdout:
            said.append(line)
            if re.match(r"\s*1 +Ada +1\s*$", line):
                return
        pytest.fail("".join(said))


@pytest.mark.parametrize("language", [javascript, python])
def test_a_point_is_scored(server: ServedScoreboard, tmp_path: Path, language: object) -> None:
    """One point, told with its rank; then the example ends by itself."""
    assert callable(language)
    with running(language(server, tmp_path, 1), tmp_path) as example:
        said, _ = example.communicate(timeout=WITHIN_S)
    assert re.search(r"^1 points, rank \d+$", said, re.MULTILINE), said
    assert 0 == example.returncode


def test_all_examples_are_run() -> None:
    """Whoever adds one adds its test."""
    assert (2, 2) == (len(blocks("js")), len(blocks("python")))
