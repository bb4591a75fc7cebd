"""Node.js with the packages of a folder."""

from __future__ import annotations

import fcntl
import functools
import hashlib
import shutil
import subprocess
from pathlib import Path

OLDEST_NODE = 20
INSTALL_WITHIN_S = 300.0


class Absent(Exception):
    """What is needed cannot be run here; says why."""


@functools.cache
def node_alone() -> str:
    """The path of Node.

    Raises:
        Absent: it is missing, or too old.
    """
    program = shutil.which("node")
    if program is None:
        raise Absent("node is not installed")
    version = said([program, "--version"], Path.cwd())
    if int(version.lstrip("v").partition(".")[0]) < OLDEST_NODE:
        raise Absent(f"node {version} is older than {OLDEST_NODE}")
    return program


@functools.cache
def node_with_packages(folder: Path) -> str:
    """The path of Node. The packages of the folder's lock file are installed on first use and when it changes.

    Raises:
        Absent: Node or npm is missing, too old, or could not install.
    """
    program, npm = node_alone(), shutil.which("npm")
    if npm is None:
        raise Absent("npm is not installed")
    stamp, digest = folder / "node_modules" / ".installed", _digest(folder / "package-lock.json")
    with (folder / "package-lock.json").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two processes of one test run
        if not stamp.exists() or stamp.read_text() != digest:
            # Of what the packages would like to run when they are installed, nothing is needed.
            said([npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"], folder, INSTALL_WITHIN_S)
            stamp.write_text(digest)
    return program


def said(command: list[str], folder: Path, within: float = 60.0) -> str:
    """What a program printed; raises Absent when it fails."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=within, check=True)
    except subprocess.CalledProcessError as error:
        raise Absent(f"{Path(command[0]).name} failed: {error.stderr.strip()[-400:]}") from error
    except (subprocess.TimeoutExpired, OSError) as error:
        raise Absent(f"{Path(command[0]).name} failed: {error}") from error
    return done.stdout.strip()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
