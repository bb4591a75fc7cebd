"""Encrypts what is known of persons: each person under a key of its own, which a master key wraps.

Whatever is encrypted is bound to the name of its place, so that it opens nowhere else.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Sequence

from scoreboard.security import sealing

KEY_BYTES = 32
_ID_BYTES = 8


def master_id(master: bytes) -> str:
    """What a master key is called beside all that it wraps. It tells nothing of the key."""
    return hmac.digest(master, b"name of a master key", "sha256")[:_ID_BYTES].hex()


class PersonalVault:
    """Wraps keys and encrypts under them. It keeps nothing: `masters` gives the master keys of now, the first wraps."""

    def __init__(self, masters: Callable[[], Sequence[bytes]]) -> None:
        self._masters = masters
        self._known: dict[bytes, str] = {}

    def __repr__(self) -> str:
        return f"<PersonalVault of {len(self._masters())} master keys>"

    def master(self) -> str:
        """The id of the master key that wraps now.

        Raises:
            LookupError: there is none.
        """
        masters = self._masters()
        if not masters:
            raise LookupError("there is no master key in the folder of keys")
        return self._id_of(masters[0])

    def new_key(self) -> bytes:
        """A key for one person."""
        return secrets.token_bytes(KEY_BYTES)

    def wrap(self, key: bytes, name: bytes) -> tuple[str, bytes]:
        """The id of the master key that wraps now, and the key as it may be kept; raises as `master`."""
        return self.master(), self.encrypt(self._masters()[0], key, name)

    def unwrap(self, master: str, wrapped: bytes, name: bytes) -> bytes | None:
        """The key that was wrapped under that name; None without that master key, and of anything else."""
        for each in self._masters():
            if self._id_of(each) == master:
                return self.decrypt(each, wrapped, name)
        return None

    def encrypt(self, key: bytes, content: bytes, name: bytes) -> bytes:
        """See `sealing.encrypt`."""
        return sealing.encrypt(key, content, name)

    def decrypt(self, key: bytes, sealed: bytes, name: bytes) -> bytes | None:
        """See `sealing.decrypt`."""
        return sealing.decrypt(key, sealed, name)

    def hashed(self, key: bytes, text: str) -> str:
        """A text as it can be compared with others, and told to nobody who has not the key."""
        return hmac.digest(key, text.encode("utf-8", "surrogatepass"), "sha256").hex()

    def _id_of(self, master: bytes) -> str:
        found = self._known.get(master)
        if found is None:
            found = self._known[master] = master_id(master)
        return found
