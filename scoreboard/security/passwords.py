"""Passwords: bcrypt, in threads, few at a time, so that a wave of sign-ins cannot take the processor from the game."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Sequence
from typing import TypeVar

import bcrypt
import trio

from scoreboard.security.errors import HashingBusy, PasswordRefused
from scoreboard.security.shares import Shares

SHORTEST = 8  # characters, as NIST SP 800-63B asks for
LONGEST_BYTES = 72  # bcrypt sees no more, and cutting silently would make two passwords one

#: The same as JSON Schema, as far as that can say it.
PASSWORD = {
    "minLength": SHORTEST,
    "maxLength": LONGEST_BYTES,
    "description": f"{SHORTEST} characters at least, {LONGEST_BYTES} bytes at most",
}

T = TypeVar("T")


class Passwords:
    """Hashes and compares.

    Args:
        rounds: The cost; each one more doubles it.
        concurrency: How many are computed at once.
        waiting: How many more may wait for their turn; the next one is refused.
        share: So much of these places one name may take (an address, an account), at least one.
    """

    def __init__(self, *, rounds: int = 12, concurrency: int = 1, waiting: int = 64, share: float = 1.0) -> None:
        self._rounds = rounds
        self._limiter = trio.CapacityLimiter(concurrency)
        self._most = concurrency + waiting
        self._inside = 0
        self._shares = Shares(max(1, int(share * self._most)))
        self._nobody = nobodys(rounds).encode()

    def __repr__(self) -> str:
        return f"<Passwords rounds={self._rounds} inside={self._inside}/{self._most}>"

    async def hash(self, password: str, *, by: Sequence[str] = ()) -> str:
        """The text to store for a new password. `by` names who asks.

        Raises:
            PasswordRefused: too short, too long, or not text that can be typed.
            HashingBusy: too many wait already, or too many by one of these names.
        """
        secret = new_secret(password)
        hashed = await self._in_thread(lambda: bcrypt.hashpw(secret, bcrypt.gensalt(self._rounds)), by)
        return hashed.decode("ascii")

    async def verify(self, password: str, hashed: str | None, *, by: Sequence[str] = ()) -> bool:
        """Whether the password belongs to a stored text; None is for an unknown user and takes as long.

        Raises:
            PasswordRefused: it cannot be anybody's password.
            HashingBusy: as `hash`.
        """
        secret = _secret(password)
        stored = self._nobody if hashed is None else hashed.encode("ascii")
        return await self._in_thread(lambda: bcrypt.checkpw(secret, stored), by) and hashed is not None

    def require_room(self, by: Sequence[str] = ()) -> None:
        """Raise HashingBusy if `hash` or `verify` would now: asked first, so that a flood costs no query either."""
        if self._inside >= self._most or not self._shares.has_room(by):
            raise HashingBusy(self._wait_s())

    async def _in_thread(self, work: Callable[[], T], by: Sequence[str]) -> T:
        self.require_room(by)
        self._inside += 1
        try:
            with self._shares.taken(by):
                return await trio.to_thread.run_sync(work, limiter=self._limiter)
        finally:
            self._inside -= 1

    def _wait_s(self) -> int:
        seconds_each = 0.25 * 2.0 ** (self._rounds - 12)
        return max(1, math.ceil(self._inside * seconds_each / self._limiter.total_tokens))


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
