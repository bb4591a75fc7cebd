"""The services of a game that may send scores: a small file for each of their tokens, which ends when it is removed.

A file is `NAME.ID.json` under `services` in the data directory. Its name alone says that the token is good; what it
holds is for people. No secret is in it: the token itself is told once, to whoever made it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from scoreboard.security import keyfiles
from scoreboard.security.errors import PrivateFileRefused
from scoreboard.security.service_folder import FOLDER, LOOK_EVERY_S, NAME, LookedAt, names_in, require_name

_FILE = re.compile(rf"({NAME.pattern})\.([0-9a-f]{{16}})\.json")


@dataclass(frozen=True, slots=True)
class ServiceToken:
    """One token of a service; times are seconds since the epoch."""

    name: str
    token_id: str
    created_s: int
    expires_s: int


def add(data_dir: Path, token: ServiceToken) -> None:
    """Make the file of a token.

    Raises:
        ServiceRefused: the name is none.
        PrivateFileRefused: the folder is open to others, or cannot be written.
    """
    require_name(token.name)
    folder = data_dir / FOLDER
    keyfiles.ready_folder(folder)
    said = {"name": token.name, "jti": token.token_id, "created": token.created_s, "expires": token.expires_s}
    content = json.dumps(said).encode() + b"\n"
    keyfiles.create_once(folder / f"{token.name}.{token.token_id}.json", lambda: content)


def listed(data_dir: Path) -> list[ServiceToken]:
    """All tokens that were not revoked, by name and age; raises PrivateFileRefused when one cannot be read."""
    found = [_read(path, match[1], match[2]) for path, match in _files(data_dir)]
    return sorted(found, key=lambda token: (token.name, token.created_s))


def _files(data_dir: Path) -> list[tuple[Path, re.Match[str]]]:
    paths = sorted((data_dir / FOLDER).glob("*.json"))
    return [(path, match) for path in paths if (match := _FILE.fullmatch(path.name))]


def _read(path: Path, name: str, token_id: str) -> ServiceToken:
    content = keyfiles.read_private(path)
    try:
        said = json.loads(content)
        return ServiceToken(name, token_id, int(said["created"]), int(said["expires"]))
    except (ValueError, KeyError, TypeError) as error:
        text = f"The file {path} is not as it was made. Its token is good all the same, until it is revoked: {token_id}"
        raise PrivateFileRefused(text) from error


def revoke(data_dir: Path, name_or_id: str) -> int:
    """End the tokens of a service, or the one with that id; how many there were. What their files hold is not asked.

    Raises:
        PrivateFileRefused: a file cannot be removed.
    """
    ended = [path for path, match in _files(data_dir) if name_or_id in match.groups()]
    for path in ended:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise PrivateFileRefused(f"The file {path} cannot be removed: {error.strerror}") from error
    return len(ended)


class ServiceTokens:
    """Which tokens of services are good, as a running server sees it: it looks when one is used, now and then.

    So a token that was revoked is refused within half a second (`every_s`), and a server without services does
    nothing. One that is not found is looked for at once: it may have just been made, and only who was given a token by
    us once gets as far as to have it looked for. A folder that others may write to makes no token good.
    """

    def __init__(self, data_dir: Path, *, now_s: Callable[[], float], every_s: float = LOOK_EVERY_S) -> None:
        self._live = LookedAt(partial(_live, data_dir / FOLDER), now_s=now_s, every_s=every_s)

    def __repr__(self) -> str:
        return f"<ServiceTokens {self._live!r}>"

    def __contains__(self, name_and_id: object) -> bool:
        return name_and_id in self._live.now() or name_and_id in self._live.anew()


def _live(folder: Path) -> frozenset[tuple[str, str]]:
    return frozenset((match[1], match[2]) for name in names_in(folder) if (match := _FILE.fullmatch(name)))
