"""Tickets: what a browser may put into an address to say who it is, once and soon, because it cannot send a header.

Signed by a key of the server, so that nobody keeps those that are handed out; only those that were used are remembered,
for as long as they could be used again: here, and where all workers look.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import msgspec

from scoreboard.security.errors import TicketRefused
from scoreboard.security.tokens import Caller

LIFETIME_S = 30
#: So many used ones are remembered; while there are more, no ticket is taken.
MOST_USED = 100_000
_LONGEST = 1024
_MAC_BYTES = 32


class UsedTickets(Protocol):
    """Where all workers see which tickets were used. Best effort: without it each worker knows its own."""

    async def first_use(self, name: str, within_s: int) -> bool | None:
        """Whether nobody used it before, which is remembered for so long; None: that cannot be told now."""
        ...


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as it is handed out."""

    text: str
    expires_in_s: int


class _Claims(msgspec.Struct, frozen=True, array_like=True):
    nonce: str
    until_us: int
    user_id: str
    username: str
    role: str
    permissions: tuple[str, ...]
    session_id: str
    expires_s: int


class Tickets:
    """Hands out and takes.

    Args:
        secret: A secret of the server, from which the key is derived.
        now_us: The time of day.
        used: What other workers have taken.
    """

    def __init__(self, secret: bytes, *, now_us: Callable[[], int], used: UsedTickets) -> None:
        self._key = hmac.digest(secret, b"live ticket", "sha256")
        self._now_us = now_us
        self._used = used
        self._used_here: dict[str, int] = {}  # until when each could be used again; who expires first stands first

    def __repr__(self) -> str:
        return f"<Tickets, {len(self._used_here)} used lately>"

    def issue(self, caller: Caller) -> Ticket:
        """One for this player, of the same session as the access token."""
        until_us = self._now_us() + LIFETIME_S * 1_000_000
        who = (caller.user_id, caller.username, caller.role, caller.permissions, caller.session_id, caller.expires_s)
        payload = msgspec.json.encode(_Claims(secrets.token_hex(12), until_us, *who))
        return Ticket(_text(payload + self._mac(payload)), LIFETIME_S)

    async def redeem(self, text: str) -> Caller:
        """Whom it was handed out to; never again.

        Raises:
            TicketRefused: it is none of ours, has expired, or was used.
        """
        claims = self._claims(text)
        now_us = self._now_us()
        if claims.until_us <= now_us:
            raise TicketRefused("The ticket has expired")
        self._use_here(claims, now_us)
        if await self._used.first_use(claims.nonce, LIFETIME_S) is False:
            raise _used_up()
        return Caller(
            claims.user_id, claims.username, claims.role, claims.permissions, claims.session_id, claims.expires_s
        )

    def _use_here(self, claims: _Claims, now_us: int) -> None:
        """Without a wait between the look and the mark, so that of two at the same moment one is first."""
        while self._used_here and next(iter(self._used_here.values())) <= now_us:
            del self._used_here[next(iter(self._used_here))]
        if claims.nonce in self._used_here:
            raise _used_up()
        if len(self._used_here) >= MOST_USED:
            raise TicketRefused("Too many tickets are being used just now; ask for a new one in a moment")
        # Not until it expires: then the first would not expire first.
        self._used_here[claims.nonce] = now_us + LIFETIME_S * 1_000_000

    def _claims(self, text: str) -> _Claims:
        data = _bytes(text) if len(text) <= _LONGEST else b""
        payload, mac = data[:-_MAC_BYTES], data[-_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(payload)):
            raise TicketRefused("The ticket is not valid")
        return msgspec.json.decode(payload, type=_Claims)

    def _mac(self, payload: bytes) -> bytes:
        return hmac.new(self._key, payload, hashlib.sha256).digest()


def _used_up() -> TicketRefused:
    return TicketRefused("The ticket was used before")


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
