"""Files of keys and of tokens of services: made once and whole, private to their owner, or not used at all.

What root makes, as with sudo, is given to the owner of the folder in which it lies: a server under another account
shall read it. Only what was made here is given away, and through its descriptor: whoever has the folder may have put
something else in its place.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from scoreboard.security.errors import PrivateFileRefused

FOLDER_MODE = 0o700
FILE_MODE = 0o600
_OTHERS = 0o077
_NAMED = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+")


def ready_folder(folder: Path) -> None:
    """Make the folder if it is missing. Raises PrivateFileRefused: it cannot be made, or others may enter it.

    One that a link leads to, as where several machines share it, is not made: what is not mounted is not there.
    """
    if folder.is_symlink() and not folder.exists():
        raise PrivateFileRefused(
            f"The folder {folder} leads to {folder.readlink()}, which is not there: is it mounted?"
        )
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        for made in reversed(missing):
            _give_folder(made)
    except OSError as error:
        raise PrivateFileRefused(f"The folder {folder} cannot be made: {error.strerror}") from error
    require_folder(folder)


def require_folder(folder: Path) -> None:
    """Raises PrivateFileRefused: there is none, or others may enter it."""
    try:
        status = folder.stat()
    except OSError as error:
        raise PrivateFileRefused(f"The folder {folder} cannot be read: {error.strerror}") from error
    _require_private(folder, status, FOLDER_MODE)


class KeyFile(NamedTuple):
    """A key's file `kind-<number>.<suffix>`, and when it was made, in seconds since the epoch."""

    path: Path
    number: int
    made_s: float


def key_files(folder: Path, kind: str, suffix: str = "key") -> list[KeyFile]:
    """The files of one kind, the newest (highest number) first; others in the folder do not count."""
    found = {
        path: path.name.removeprefix(f"{kind}-").removesuffix(f".{suffix}")
        for path in folder.glob(f"{kind}-*.{suffix}")
    }
    numbers = {path: int(number) for path, number in found.items() if number.isascii() and number.isdigit()}
    files = [KeyFile(path, number, made_s(path)) for path, number in numbers.items()]
    return sorted(files, key=lambda file: file.number, reverse=True)


def kinds(folder: Path, family: str, suffix: str = "key") -> list[str]:
    """The kinds `family` and `family-<name>` of which there are files, in their order."""
    found = {path.stem.rpartition("-")[0] for path in folder.glob(f"{family}-*.{suffix}")}
    return sorted(
        kind for kind in found if (kind == family or _NAMED.fullmatch(kind)) and key_files(folder, kind, suffix)
    )


def made_s(path: Path) -> float:
    """When a file came to be what and where it is, in seconds since the epoch.

    That is the time of its last change of status: the one of writing may be an old one, if the file was copied with it.

    Raises:
        PrivateFileRefused: it cannot be told.
    """
    try:
        return path.stat().st_ctime
    except OSError as error:
        raise PrivateFileRefused(f"The file {path} cannot be read: {error.strerror}") from error


def read_private(path: Path) -> bytes:
    """The content of a file that only its owner may read.

    Raises:
        PrivateFileRefused: others may read it, or it cannot be read at all.
    """
    try:
        with path.open("rb") as file:
            _require_private(path, os.fstat(file.fileno()), FILE_MODE)
            return file.read()
    except OSError as error:
        raise PrivateFileRefused(f"The file {path} cannot be read: {error.strerror}") from error


def create_once(path: Path, make: Callable[[], bytes]) -> bool:
    """Give `path` the content that `make` returns, unless it exists already.

    It appears whole and on disk or not at all. Of two processes that do this at once one wins, which is told True, and
    both read its file.
    """
    if path.exists():
        return False
    draft = path.with_name(f".new-{secrets.token_hex(8)}")
    try:
        _write_private(draft, make())
        path.hardlink_to(draft)
        settle(path.parent)
        return True
    except FileExistsError:
        return False  # the other process was first; its keys are as good as ours
    except OSError as error:
        raise PrivateFileRefused(f"The file {path} cannot be written: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)


def settle(path: Path) -> None:
    """Wait until it is on disk: what a file holds, or what names a folder has; a name is there only when its folder is.

    Raises:
        OSError: it cannot be opened, or not be written.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_private(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        _give(descriptor, path)
        os.fsync(descriptor)


def _give_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        _give(descriptor, folder)
    finally:
        os.close(descriptor)


def _give(descriptor: int, path: Path) -> None:
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _require_private(path: Path, status: os.stat_result, wanted: int) -> None:
    mode = stat.S_IMODE(status.st_mode)
    if mode & _OTHERS:
        raise PrivateFileRefused(
            f"Others than its owner have access to {path} (mode {mode:04o}), so what it holds may be known to them, "
            f"or be theirs. If it is not: chmod {wanted:o} {path}. Otherwise do that too, and replace the keys in it "
            "(scoreboard key rotate, scoreboard service revoke)."
        )
