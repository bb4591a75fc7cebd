"""The keys of a running server, as its parts need them: each time those of now."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import trio

from actors.actions.proof import HmacVerifier, Verifier
from actors.ports import ED25519, HMAC, key_id
from actors.user.token import ActionKeys
from scoreboard.observe.logs import Logger
from scoreboard.security.ed25519 import Ed25519Verifier
from scoreboard.security.errors import KeysOfAnother, PrivateFileRefused
from scoreboard.security.keyfolder import KeyFolder, LiveKeys
from scoreboard.security.keymaking import rotate_old
from scoreboard.security.keys import KeyRing
from scoreboard.security.rotation import DAY_S, KeyTimes
from scoreboard.server.acts import KEY_ROTATED, SERVER, journaled
from scoreboard.settings import Settings
from scoreboard.stores.personal_errors import KeyDoesNotOpen


def key_times(settings: Settings) -> KeyTimes:
    """How long keys wait before they sign, and are believed afterwards, by what lives under them."""
    tokens = settings.tokens
    return KeyTimes(settings.keys.settle_s, max(tokens.action_s, tokens.earned_s), tokens.access_s)


@dataclass(frozen=True, slots=True)
class Keychain:
    """The keys of a running server, and those files of them that were made when it started."""

    live: LiveKeys
    folder: KeyFolder
    made: Sequence[Path]

    @contextmanager
    def fits(self) -> Iterator[None]:
        """Around what opens the database: keys that are not those of it are refused, and the folder is as it was.

        A server with others would sign what no other node believes, and could read nothing that is known of persons.

        Raises:
            KeysOfAnother: the sentence says what to do.
        """
        try:
            yield
        except KeyDoesNotOpen as error:
            self.folder.unmake(self.made)
            lacked = f" {', '.join(file.name for file in self.made)} was missing there." if self.made else ""
            raise KeysOfAnother(
                f"the keys in {self.folder.path} are not those of this database: {error}.{lacked} Is it the right data "
                "directory (--data)? Each node needs the folder of keys of the first one; a lost one is in the backup"
            ) from error


async def open_keys(settings: Settings, log: Logger, *, make: bool = True) -> Keychain:
    """Read what is under the data directory; what is missing is made, unless somebody else does that.

    Raises:
        PrivateFileRefused: a key cannot be used; the sentence says why.
        OSError: the data directory cannot be made.
    """
    folder = KeyFolder(Path(settings.data_dir), key_times(settings))
    made, ring = await trio.to_thread.run_sync(partial(_first_read, folder, Path(settings.data_dir), make=make))
    if made:
        log.info("keys_made", folder=str(folder.path), files=[file.name for file in made])

    def refused(reason: str) -> None:
        log.error("keys_not_read", reason=reason, meaning="the keys that were read before stay")

    def changed(ring: KeyRing) -> None:
        counts = {"access": len(ring.signing), "actions": len(ring.action_keys), "clients": len(ring.client_keys)}
        log.info("keys_changed", signs=ring.signing[0].kid, **counts)

    return Keychain(LiveKeys(folder, ring, refused=refused, changed=changed), folder, made)


def rotate_old_keys(folder: Path, settings: Settings, log: Logger) -> None:
    """Give each kind that signs a new key when its newest is too old; one worker does it, and notes it. Blocks."""
    if not settings.keys.rotate_days:
        return
    why = f"older than {settings.keys.rotate_days:g} days"
    for kind in ("action", "client", "jwt"):
        try:
            with journaled(Path(settings.data_dir), KEY_ROTATED, by=SERVER, why=why, kind=kind) as entry:
                made = rotate_old(folder, kind, now_s=time.time(), older_s=settings.keys.rotate_days * DAY_S)
                if made is None:
                    entry.drop()
                else:
                    entry.tell(file=made.name)
        except (PrivateFileRefused, OSError) as error:
            log.error("key_not_rotated", kind=kind, reason=str(error))  # noqa: TRY400 - the sentence is the whole story
        else:
            if made is not None:
                log.info("key_rotated", file=str(made))


def _first_read(folder: KeyFolder, data_dir: Path, *, make: bool) -> tuple[list[Path], KeyRing]:
    if not make:
        return [], folder.read(time.time())
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(f"the data directory {data_dir} cannot be made: {error.strerror or error}") from error
    return folder.make(), folder.read(time.time())


def verifiers(keys: LiveKeys) -> dict[str, Verifier]:
    """Who judges proofs, by the name that the catalogue has for it."""
    return {
        HMAC: HmacVerifier(lambda name: keys.now().game_keys.get(name, ())),
        ED25519: Ed25519Verifier(lambda name: keys.now().public_keys.get(name, ()), key_id),
    }


class MastersOnDisk:
    """The master keys of a folder, for an operator's verbs: none is made, and none is read before it is needed."""

    def __init__(self, data_dir: Path, times: KeyTimes) -> None:
        self._folder = KeyFolder(data_dir, times)
        self._masters: tuple[bytes, ...] | None = None

    def __call__(self) -> tuple[bytes, ...]:
        """The first wraps; raises PrivateFileRefused."""
        if self._masters is None:
            self._masters = self._folder.masters(time.time())
        return self._masters


class ActionKeysNow:
    """The keys of action tokens; made anew only when they have changed."""

    def __init__(self, keys: LiveKeys) -> None:
        self._keys = keys
        self._ring: KeyRing | None = None
        self._made = ActionKeys(b"")

    def __call__(self) -> ActionKeys:
        """Those of now."""
        ring = self._keys.now()
        if ring is not self._ring:
            current, *previous = ring.action_keys
            self._ring, self._made = ring, ActionKeys(current, tuple(previous), ring.rotated_actions)
        return self._made
