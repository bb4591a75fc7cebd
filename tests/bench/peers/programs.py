"""What the peers are made with: Node and its packages, and a C compiler. Any of them may be missing."""

from __future__ import annotations

import functools
import hashlib
import json
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
OLDEST_NODE = 20
INSTALL_WITHIN_S = 300.0


class Absent(Exception):
    """A peer cannot be run here; says why."""


@functools.cache
def node() -> str:
    """The path of Node, with the peers' packages beside them; installed on first use and when their lock changes.

    Raises:
        Absent: Node or npm is missing, too old, or could not install.
    """
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is None or npm is None:
        raise Absent("node or npm is not installed")
    version = _said([program, "--version"])
    if int(version.lstrip("v").partition(".")[0]) < OLDEST_NODE:
        raise Absent(f"node {version} is older than {OLDEST_NODE}")
    stamp, digest = HERE / "node_modules" / ".installed", _digest(HERE / "package-lock.json")
    if not stamp.exists() or stamp.read_text() != digest:
        # Of what the packages would like to run when they are installed, nothing is needed.
        _said([npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"], INSTALL_WITHIN_S)
        stamp.write_text(digest)
    return program


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
    _said([compiler, "-std=gnu11", "-O2", "-Wall", "-Wextra", "-o", str(program), source])
    return program


def describe() -> str:
    """The versions of what there is."""
    found = []
    try:
        found.append(f"node {_said([node(), '--version']).lstrip('v')}")
        wanted = json.loads((HERE / "package.json").read_text())["dependencies"]
        found += [f"{name} {version}" for name, version in wanted.items()]
    except Absent:
        pass
    if compiler := shutil.which("cc"):
        found.append(_said([compiler, "--version"]).splitlines()[0])
    return ", ".join(found) or "none"


def _said(command: list[str], within: float = 60.0) -> str:
    """What a program printed; raises Absent when it fails."""
    try:
        done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=within, check=True)
    except subprocess.CalledProcessError as error:
        raise Absent(f"{Path(command[0]).name} failed: {error.stderr.strip()[-400:]}") from error
    except (subprocess.TimeoutExpired, OSError) as error:
        raise Absent(f"{Path(command[0]).name} failed: {error}") from error
    return done.stdout.strip()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
