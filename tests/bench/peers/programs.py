"""What the peers are made with: Node and its packages, and a C compiler. Any of them may be missing."""

from __future__ import annotations

import functools
import json
import shutil
from pathlib import Path

from tests.node import Absent, node_with_packages, said

__all__ = ["HERE", "Absent", "compiled", "describe", "node"]

HERE = Path(__file__).parent


def node() -> str:
    """The path of Node, with the peers' packages beside them.

    Raises:
        Absent: Node or npm is missing, too old, or could not install.
    """
    return node_with_packages(HERE)


@functools.cache
def compiled(source: str, out: Path) -> Path:
    """A C program of this folder, compiled into `out`.

    Raises:
        Absent: there is no compiler, or it fails.
    """
    compiler = shutil.which("cc")
    if compiler is None:
        raise Absent("cc is not installed")
    out.mkdir(exist_ok=True)
    program = out / Path(source).stem
    said([compiler, "-std=gnu11", "-O2", "-Wall", "-Wextra", "-o", str(program), source], HERE)
    return program


def describe() -> str:
    """The versions of what there is."""
    found = []
    try:
        found.append(f"node {said([node(), '--version'], HERE).lstrip('v')}")
        wanted = json.loads((HERE / "package.json").read_text())["dependencies"]
        found += [f"{name} {version}" for name, version in wanted.items()]
    except Absent:
        pass
    if compiler := shutil.which("cc"):
        found.append(said([compiler, "--version"], HERE).splitlines()[0])
    return ", ".join(found) or "none"
