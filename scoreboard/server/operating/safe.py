"""A backup: one folder with the database as of one moment, the keys, and what it must hold when it is restored."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec

from scoreboard.security.keyfiles import settle
from scoreboard.server.operating.report import own_version
from scoreboard.stores.backup import BackupError, Contents
from scoreboard.stores.embedded_home import sole_use

MANIFEST, DATABASE, FILES = "manifest.json", "database.dump", "files"
#: What the stores and the running server keep for themselves.
NOT_COPIED = frozenset({"postgres", "valkey", "workers"})
FORMAT = 1
_CHUNK = 1 << 20


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup is, and the digest of each of its files."""

    format: int
    made_at: str
    version: str
    contents: dict[str, Any]
    digests: dict[str, str]


@contextmanager
def growing(target: Path) -> Iterator[Path]:
    """A folder beside `target` that takes its place when the body is done; what a killed predecessor left is removed.

    Raises:
        DataDirectoryBusy: somebody else is at it.
        OSError: it cannot be made.
    """
    beside = target.with_name(f"{target.name}.unfinished")
    target.parent.mkdir(parents=True, exist_ok=True)
    beside.mkdir(mode=0o700, exist_ok=True)
    done = False
    try:
        with sole_use(beside):
            for left in beside.iterdir():
                if left.name != "lock":
                    _remove(left)
            yield beside
            done = True
            (beside / "lock").unlink()
            settle(beside)
            beside.rename(target)
            settle(target.parent)
    finally:
        if not done and _is_ours(beside):
            _remove(beside)


def copy_files(data_dir: Path, into: Path) -> None:
    """All but the stores; over what was copied before, so that of what came or went in between nothing is missed.

    Raises:
        BackupError: a file cannot be read, or not be written; the sentence has the first of them.
    """
    into.mkdir(mode=0o700, exist_ok=True)
    for entry in sorted(data_dir.iterdir()):
        if entry.is_dir() and entry.name not in NOT_COPIED:
            _copy_tree(entry, into / entry.name)
    for directory, _, _ in os.walk(into):
        Path(directory).chmod(0o700)


def seal(folder: Path, contents: Contents) -> None:
    """Say what is in it, and have it on disk."""
    digests = {str(file.relative_to(folder)): _digest(file) for file in _files(folder)}
    made_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    told = Manifest(format=FORMAT, made_at=made_at, version=own_version(), contents=asdict(contents), digests=digests)
    (folder / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(told)))
    for file in _files(folder):
        settle(file)


def opened(folder: Path) -> Manifest:
    """What a backup says of itself, when all of its files are whole; raises BackupError."""
    try:
        told = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except FileNotFoundError as error:
        raise BackupError(f"{folder} is no backup: it has no {MANIFEST}") from error
    except (OSError, msgspec.DecodeError) as error:
        raise BackupError(f"{folder / MANIFEST} cannot be read: {error}") from error
    if told.format != FORMAT:
        raise BackupError(
            f"{folder} is of format {told.format}, made by version {told.version}; this one reads {FORMAT}"
        )
    for name, digest in told.digests.items():
        if not (folder / name).is_file():
            raise BackupError(f"{folder / name} is missing")
        if _digest(folder / name) != digest:
            raise BackupError(f"{folder / name} is not what it was: it was damaged or changed")
    return told


def differences(told: Manifest, found: Contents) -> list[str]:
    """A sentence for each thing that is not as it was when the backup was made."""
    now = asdict(found)
    return [
        f"{name.replace('_', ' ')}: {told.contents.get(name)} in the backup, {value} restored"
        for name, value in now.items()
        if told.contents.get(name) != value
    ]


def put_files(folder: Path, data_dir: Path) -> None:
    """What `copy_files` took, where a server looks for it."""
    if (folder / FILES).is_dir():
        _copy_tree(folder / FILES, data_dir)


def _copy_tree(source: Path, target: Path) -> None:
    try:
        shutil.copytree(source, target, dirs_exist_ok=True, ignore_dangling_symlinks=True)
    except shutil.Error as error:  # has all of them
        (file, copy, why), *_ = error.args[0]
        raise BackupError(f"{file} cannot be copied to {copy}: {why}") from error


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file() and file.name != "lock")


def _digest(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as content:
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _is_ours(folder: Path) -> bool:
    """Nobody else has begun again there."""
    with suppress(Exception), sole_use(folder):
        return True
    return False


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
