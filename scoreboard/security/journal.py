"""What is done to the files of the data directory, for the audit: a small file an act, until a server has taken it.

The database may be away when a key is made or a service's token is revoked. So before anything is done a file under
`acts` says what is about to be done, and afterwards another one what came of it. Each is private, and appears whole and
on disk or not at all. A server that runs takes them into the audit, in which each act stands once, by its id.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scoreboard.security import keyfiles
from scoreboard.security.errors import PrivateFileRefused

FOLDER = "acts"
#: Nothing that is done to files takes so long: what has not ended by then was cut off; nobody knows how far it came.
CUT_OFF_S = 60.0
_BEGUN, _DONE = "begun", "done"
_FILE = re.compile(rf"([0-9a-f-]{{36}})\.({_BEGUN}|{_DONE})")


def begin(data_dir: Path, act_id: str, said: dict[str, Any]) -> None:
    """Note what is about to be done. Raises PrivateFileRefused: then it must not be done."""
    folder = data_dir / FOLDER
    keyfiles.ready_folder(folder)
    _write(_path(data_dir, act_id, _BEGUN), said)


def end(data_dir: Path, act_id: str, said: dict[str, Any]) -> None:
    """Note what came of it. Raises PrivateFileRefused: it will be told as cut off."""
    _write(_path(data_dir, act_id, _DONE), said)
    _path(data_dir, act_id, _BEGUN).unlink(missing_ok=True)


def drop(data_dir: Path, act_id: str) -> None:
    """It came to nothing: nobody is to hear of it."""
    _path(data_dir, act_id, _BEGUN).unlink(missing_ok=True)


def taken(data_dir: Path, act_id: str) -> None:
    """It stands in the audit."""
    drop(data_dir, act_id)
    _path(data_dir, act_id, _DONE).unlink(missing_ok=True)


def waiting(data_dir: Path, *, now_s: float) -> Iterator[tuple[str, bool]]:
    """The ids of what no server has taken, and whether each has ended; what may still be going on is left out."""
    folder = data_dir / FOLDER
    found = {match.groups() for path in sorted(folder.glob("*.*")) if (match := _FILE.fullmatch(path.name))}
    for act_id, state in sorted(found):
        if state == _DONE:
            yield act_id, True
        elif (act_id, _DONE) not in found and _age_s(folder / f"{act_id}.{_BEGUN}", now_s) > CUT_OFF_S:
            yield act_id, False


def read(data_dir: Path, act_id: str, *, ended: bool) -> dict[str, Any] | None:
    """What was noted; None if another server has taken it meanwhile.

    Raises PrivateFileRefused when it cannot be read, or is not what was written.
    """
    path = _path(data_dir, act_id, _DONE if ended else _BEGUN)
    if not path.exists():
        return None
    try:
        said: dict[str, Any] = json.loads(keyfiles.read_private(path))
    except ValueError as error:
        raise PrivateFileRefused(f"The file {path} is not as it was made") from error
    return said


def _path(data_dir: Path, act_id: str, state: str) -> Path:
    return data_dir / FOLDER / f"{act_id}.{state}"


def _write(path: Path, said: dict[str, Any]) -> None:
    keyfiles.create_once(path, lambda: json.dumps(said).encode() + b"\n")


def _age_s(path: Path, now_s: float) -> float:
    try:
        return now_s - keyfiles.made_s(path)
    except PrivateFileRefused:  # it has ended meanwhile
        return 0.0
