"""Passwords: bcrypt, in threads, few at a time, so that a wave of sign-ins cannot take the processor from the game."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable
from typing import TypeVar

import bcrypt

from scoreboard.security.background import BackgroundThreads
from scoreboard.security.errors import HashingBusy, PasswordRefused
from scoreboard.security.turns import Asker, Turns

SHORTEST = 8  # characters, as NIST SP 800-63B asks for
LONGEST_BYTES = 72  # bcrypt sees no more, and cutting silently would make two passwords one

#: The same as JSON Schema, as far as that can say it.
PASSWORD = {
    "minLength": SHORTEST,
    "maxLength": LONGEST_BYTES,
    "description": f"{SHORTEST} characters at least, {LONGEST_BYTES} bytes at most",
}

T = TypeVar("T")

ANYBODY = Asker()


class Passwords:
    """Hashes and compares.

    Args:
        rounds: The cost; each one more doubles it.
        concurrency: How many are computed at once.
        waiting: How many more may wait for their turn; the next one is refused.
        share: So much of these places one name may take (an address, an account), at least one.
        kept: So many more are there for those who are known, one each; they go first, and not always.
    """

    def __init__(
        self, *, rounds: int = 12, concurrency: int = 1, waiting: int = 64, share: float = 1.0, kept: int = 0
    ) -> None:
        self._rounds = rounds
        self._turns = Turns(at_once=concurrency, waiting=waiting, share=share, kept=kept)
        self._threads = BackgroundThreads(concurrency)
        self._nobody = nobodys(rounds).encode()

    def __repr__(self) -> str:
        return f"<Passwords rounds={self._rounds} {self._turns!r}>"

    async def hash(self, password: str, *, by: Asker = ANYBODY) -> str:
        """The text to store for a new password, for who asks.

        Raises:
            PasswordRefused: too short, too long, or not text that can be typed.
            HashingBusy: too many wait already, or too many by one of the asker's names.
        """
        secret = new_secret(password)
        hashed = await self._in_thread(lambda: bcrypt.hashpw(secret, bcrypt.gensalt(self._rounds)), by)
        return hashed.decode("ascii")

    async def verify(self, password: str, hashed: str | None, *, by: Asker = ANYBODY) -> bool:
        """Whether the password belongs to a stored text; None is for an unknown user and takes as long.

        Raises:
            PasswordRefused: it cannot be anybody's password.
            HashingBusy: as `hash`.
        """
        secret = _secret(password)
        stored = self._nobody if hashed is None else hashed.encode("ascii")
        return await self._in_thread(lambda: bcrypt.checkpw(secret, stored), by) and hashed is not None

    def require_room(self, by: Asker = ANYBODY) -> None:
        """Raise HashingBusy if `hash` or `verify` would now: asked first, so that a flood costs no query either."""
        if not self._turns.has_room(by):
            raise HashingBusy(self._wait_s())

    async def _in_thread(self, work: Callable[[], T], by: Asker) -> T:
        self.require_room(by)
        async with self._turns.taken(by):
            return await self._threads.run(work)

    def _wait_s(self) -> int:
        seconds_each = 0.25 * 2.0 ** (self._rounds - 12)
        return max(1, math.ceil(self._turns.inside * seconds_each / self._turns.at_once))


def nobodys(rounds: int) -> str:
    """A salt and a result that no password has: comparing with it costs what comparing with a real one does."""
    return (bcrypt.gensalt(rounds) + b"." * 31).decode("ascii")


def new_secret(password: str) -> bytes:
    """The bytes to hash for a new password; raises PasswordRefused with the rule that it breaks. Pure and cheap."""
    if len(password) < SHORTEST:
        raise PasswordRefused(f"The password must have at least {SHORTEST} characters")
    return _secret(password)


def _secret(password: str) -> bytes:
    try:
        # One keyboard sends é as one character, another as two.
        secret = unicodedata.normalize("NFC", password).encode()
    except UnicodeEncodeError as error:
        raise PasswordRefused("The password holds half of a surrogate pair, which is not a character") from error
    if len(secret) > LONGEST_BYTES:
        raise PasswordRefused(f"The password must not be longer than {LONGEST_BYTES} bytes (letters like é count two)")
    if b"\0" in secret:
        raise PasswordRefused("The password must not hold the character U+0000")
    return secret
