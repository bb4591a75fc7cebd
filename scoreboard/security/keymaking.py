"""Makes, registers and retires keys: what an operator or the monthly rotation does to the folder. Blocks.

Nothing here waits for a server. A file that appears is read by all that run, and signs when it has settled.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from scoreboard.security import keyfiles
from scoreboard.security.errors import PrivateFileRefused
from scoreboard.security.keyfiles import key_files
from scoreboard.security.keyfolder import signing_files
from scoreboard.security.keys import GAME, MASTER, new_rsa_pem, new_secret_line, parse_public

#: What can be rotated, and what makes a new one.
MAKERS: dict[str, Callable[[], bytes]] = {
    "action": new_secret_line,
    "jwt": new_rsa_pem,
    "client": new_secret_line,
    GAME: new_secret_line,
    MASTER: new_secret_line,
}
RETIRED = ".retired"
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def rotate(folder: Path, kind: str, *, name: str = "") -> Path:
    """Add a key of that kind, one of the game under a `name` of its own if it is given; the new file.

    Raises:
        PrivateFileRefused: the folder is open to others, or cannot be written, or the name is none.
    """
    return _add(folder, _named(kind, name), "key", MAKERS[kind])


def register(folder: Path, name: str, pem: bytes) -> Path:
    """Believe the Ed25519 key of which this is the public half, under that name; raises as `rotate`."""
    public = parse_public(pem, "what was given")
    key = serialization.load_pem_public_key(pem).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for file in key_files(folder, _named("public", name), "pem"):
        if parse_public(keyfiles.read_private(file.path), str(file.path)) == public:
            return file.path
    return _add(folder, _named("public", name), "pem", lambda: key)


def retire(folder: Path, name: str) -> Path:
    """Believe a key no more, from now on; what it was is kept under another name.

    Args:
        folder: The folder of keys.
        name: Of the file, with or without its ending.

    Raises:
        PrivateFileRefused: there is none, or the server cannot be without it.
    """
    path = next((folder / f"{name}{end}" for end in ("", ".key", ".pem") if (folder / f"{name}{end}").is_file()), None)
    if path is None or path.parent != folder or path.suffix not in {".key", ".pem"}:
        raise PrivateFileRefused(f"There is no key {name!r} in {folder}; scoreboard key list shows all")
    kind = path.stem.rpartition("-")[0]
    if not kind or (kind in {"jwt", "action", MASTER} and len(key_files(folder, kind)) == 1):
        raise PrivateFileRefused(f"{path} is the only one of its kind, and needed: scoreboard key rotate first")
    gone = path.with_name(path.name + RETIRED)
    try:
        path.rename(gone)
    except OSError as error:
        raise PrivateFileRefused(f"The file {path} cannot be renamed: {error.strerror}") from error
    return gone


def rotate_old(folder: Path, kind: str, *, now_s: float, older_s: float) -> Path | None:
    """Rotate unless there is a key that is younger; of several workers that do this at once one does it.

    None: nothing was to be done. Raises as `rotate`.
    """
    files = [*key_files(folder, kind, f"key{RETIRED}"), *signing_files(folder, kind)]
    if any(now_s - file.made_s < older_s for file in files if file.path.suffix != RETIRED):
        return None
    # By the same look, so that all who find the same want the same name for the next one: one of them gets it.
    path = folder / f"{kind}-{max((file.number for file in files), default=0) + 1}.key"
    return path if keyfiles.create_once(path, MAKERS[kind]) else None


def _add(folder: Path, kind: str, suffix: str, make: Callable[[], bytes]) -> Path:
    keyfiles.ready_folder(folder)
    content = make()
    while True:
        path = folder / f"{kind}-{_next_number(folder, kind, suffix)}.{suffix}"
        if keyfiles.create_once(path, lambda: content):
            return path


def _named(kind: str, name: str) -> str:
    if not name:
        return kind
    if kind not in {GAME, "public"} or not _NAME.fullmatch(name):
        raise PrivateFileRefused("The name of a key has lower-case letters, digits and single hyphens")
    return f"{kind}-{name}"


def _next_number(folder: Path, kind: str, suffix: str = "key") -> int:
    """One that no key of the kind has or had."""
    files = [*key_files(folder, kind, suffix), *key_files(folder, kind, f"{suffix}{RETIRED}")]
    return max((file.number for file in files), default=0) + 1
