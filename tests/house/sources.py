"""The sources of the repository, read once, as the tests of the house look at them."""

from __future__ import annotations

import ast
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
PACKAGES = ("actors", "scoreboard")


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module: where it stands and the full dotted name."""

    path: str
    line: int
    module: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line} imports {self.module}"


def imports_of(text: str, path: str) -> list[Import]:
    """Every import in a file, also inside functions; ``from a import b`` counts as ``a.b``, relative ones resolved."""
    package = Path(path).with_suffix("").parts[:-1]
    found = []
    for node in ast.walk(ast.parse(text, path)):
        if isinstance(node, ast.Import):
            found += [Import(path, node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            parts = [*base, *([node.module] if node.module else [])]
            found += [Import(path, node.lineno, ".".join([*parts, alias.name])) for alias in node.names]
    return found


def python_files(*folders: str) -> list[str]:
    """The Python files below these folders, as paths from the top; verbs in ``scripts`` have no suffix."""
    found = [path for folder in folders for path in (TOP / folder).rglob("*") if path.is_file() and is_python(path)]
    return sorted(str(path.relative_to(TOP)) for path in found)


def is_python(path: Path) -> bool:
    """Whether it is Python by its suffix or by its first line."""
    if path.suffix:
        return path.suffix == ".py"
    return path.read_bytes()[:64].split(b"\n")[0].endswith(b"python3")


def all_imports(*folders: str) -> list[Import]:
    """Every import below these folders."""
    return [found for path in python_files(*folders) for found in imports_of((TOP / path).read_text(), path)]


def tracked() -> list[str]:
    """What git holds and what it would add, or nothing where there is no git."""
    if shutil.which("git") is None or not (TOP / ".git").exists():
        return []
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    return subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=True).stdout.split("\n")[:-1]


def none_of(offences: Iterable[str]) -> None:
    """Fail with every offence on a line of its own, if there is one."""
    if lines := sorted(offences):
        pytest.fail("\n".join(["", *lines]), pytrace=False)
