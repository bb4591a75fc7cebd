"""The verbs of an operator."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.house.sources import TOP, none_of

FILES = sorted(path for path in (TOP / "scripts").iterdir() if path.is_file() and not path.suffix)
VERBS = [pytest.param(path, id=path.name) for path in FILES]


@pytest.mark.parametrize("verb", VERBS)
def test_a_script_is_executable_and_shorter_than_forty_lines(verb: Path) -> None:
    """A verb of more lines is a program and belongs into a package."""
    assert os.access(verb, os.X_OK)
    assert verb.read_text().count("\n") < 40


@pytest.mark.parametrize("verb", VERBS)
def test_a_script_says_how_it_is_used(verb: Path) -> None:
    """`--help` answers at once with status 0 and changes nothing."""
    answer = subprocess.run([verb, "--help"], capture_output=True, text=True, timeout=20, check=False)
    assert (0, "") == (answer.returncode, answer.stderr)
    assert "usage: " in answer.stdout.lower()


def test_the_shared_helper_is_as_short_as_a_verb() -> None:
    """What is sourced counts like what is run."""
    assert (TOP / "scripts/_venv.sh").read_text().count("\n") < 40


@pytest.mark.parametrize("page", ["scripts/bench", "tests/bench/README.md"])
def test_every_measure_of_the_bench_is_told_of(page: str) -> None:
    """What nobody knows of is measured by nobody."""
    names = {path.stem.replace("_", "-") for path in (TOP / "tests/bench/measures").glob("[a-z]*.py")}
    told = re.findall(r"[a-z][a-z-]*", (TOP / page).read_text())
    none_of(f"{name} is not in {page}" for name in names - set(told))
