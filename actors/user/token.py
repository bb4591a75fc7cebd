"""One-time action tokens in document A's form: made and judged without any store."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from functools import lru_cache

from actors.ports import CLOCK_SKEW_US, UserId, key_id
from actors.runtime import Refusal
from actors.user.refusals import TokenExpired, TokenInvalid, TokenRotatedOut

#: Stands between the id of the key and what is random in a nonce. Tokens of former times are without: any key may do.
KEY_MARK = "-"

#: The year 5138. Python refuses to write numbers of thousands of digits, which JSON may well hold.
MAX_TIMESTAMP_MS = 10**14


@dataclass(frozen=True, slots=True)
class ActionToken:
    """The right to score once. `timestamp_ms` is when it was made; `signature` is lower-case hex."""

    user_id: UserId
    timestamp_ms: int
    nonce: str
    signature: str

    @property
    def signed_text(self) -> str:
        """The text under the signature, as document A gives it."""
        return _text(self.user_id, self.timestamp_ms, self.nonce)

    @property
    def digest(self) -> bytes:
        """Names the token for ever, whatever key it was signed with: SHA-256 of the signed text."""
        return hashlib.sha256(self.signed_text.encode()).digest()


@dataclass(frozen=True, slots=True, repr=False)
class ActionKeys:
    """HMAC keys: tokens are signed with `current`; those signed with one of `previous` still count.

    Those of `rotated_out` count no more, but they were ours: who presents one has not made it up.
    """

    current: bytes
    previous: tuple[bytes, ...] = ()
    rotated_out: tuple[bytes, ...] = ()

    def maker(self, text: str, signature: bytes, named: str | None) -> bytes | None:
        """The key that made a signature over that text, of those that are called so (None: of all); None if none."""
        found = None
        for key in (self.current, *self.previous, *self.rotated_out):
            if named in (None, key_id(key)) and hmac.compare_digest(sign(text, key).encode(), signature):
                found = key
        return found

    def __repr__(self) -> str:
        return f"<ActionKeys, {1 + len(self.previous)} keys>"


def _text(user_id: UserId, timestamp_ms: int, nonce: str) -> str:
    return f"{user_id}:{timestamp_ms}:{nonce}"


def sign(text: str, key: bytes) -> str:
    """HMAC-SHA256 as lower-case hex."""
    mac = _keyed(key).copy()
    mac.update(text.encode())
    return mac.hexdigest()


@lru_cache(maxsize=16)
def _keyed(key: bytes) -> hmac.HMAC:
    """What is the same for all texts under one key: two thirds of the work of a signature."""
    return hmac.new(key, digestmod="sha256")


def issue(user_id: UserId, *, now_ms: int, nonce: str, keys: ActionKeys) -> ActionToken:
    """A fresh token for one player. Its nonce begins with the id of the key, which so is under the signature too."""
    nonce = f"{key_id(keys.current)}{KEY_MARK}{nonce}"
    return ActionToken(user_id, now_ms, nonce, sign(_text(user_id, now_ms, nonce), keys.current))


def well_formed(token: ActionToken) -> bool:
    """True if the token can be written as text at all: whole numbers in reason, no half characters."""
    text = token.user_id + token.nonce + token.signature
    return 0 <= token.timestamp_ms < MAX_TIMESTAMP_MS and text.isascii()


def judge(token: ActionToken, *, owner: UserId, now_ms: int, age_ms: int, keys: ActionKeys) -> Refusal | None:
    """Why the token gives its owner no right to score now, or None if it does (as far as one can tell from it alone).

    The signature is looked at before the age: only a token of ours can have expired.
    """
    if not well_formed(token):
        return _unsigned()
    text = token.signed_text
    named, mark, _ = token.nonce.partition(KEY_MARK)
    # As bytes: of text that is not ASCII `compare_digest` makes an error, and the signature is the client's to choose.
    key = keys.maker(text, token.signature.encode(), named if mark else None)
    if key is None:
        return _unsigned()
    if key in keys.rotated_out:
        return TokenRotatedOut("The key of this action token was rotated out. Request a new one.")
    if token.user_id != owner:
        return TokenInvalid("This action token was made for another user.")
    if token.timestamp_ms > now_ms + CLOCK_SKEW_US // 1000:
        return TokenInvalid("The action token lies in the future.")
    if now_ms - token.timestamp_ms >= age_ms:
        return TokenExpired("Action token has expired")
    return None


def _unsigned() -> TokenInvalid:
    return TokenInvalid("The action token was not signed by this server. Request a new one.")
