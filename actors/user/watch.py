"""What the watch on fraud is told of a player's attempts to score: what became of each, and whether it was honest."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Callable

from actors.fraud.messages import Action, Seen
from actors.ports import CLOCK_SKEW_US, UserId, key_id
from actors.runtime import Refusal
from actors.user.earned import read
from actors.user.limits import Limit, Window
from actors.user.messages import Increment, Update
from actors.user.refusals import ActionTokenRefused, TokenInvalid
from actors.user.token import KEY_MARK, ActionKeys, ActionToken, sign

#: Of refused attempts so many are told, so that nobody can drown out what others do.
TOLD = Limit(20, 10.0)

#: How a compact token looks, whoever signed it.
COMPACT = re.compile(r"v\d+\.([\w-]{1,1000})\.[\w-]{1,100}", re.ASCII)
#: How the id of a key looks.
KEY_ID = re.compile(r"[0-9a-f]{8}")
#: Of a moment in microseconds, for thousands of years to come.
LONGEST_NUMBER = 17


class Watch:
    """Tells of one player."""

    __slots__ = ("_tell", "_told", "_user_id")

    def __init__(self, user_id: UserId, tell: Callable[[Action], None]) -> None:
        self._user_id = user_id
        self._tell = tell
        self._told = Window(TOLD)

    def __repr__(self) -> str:
        return f"<Watch on {self._user_id}>"

    def scored(self, wish: Increment | Update, now_us: int, action_type: str, points: int) -> None:
        """It counted."""
        self._tell(Action(self._user_id, now_us, Seen.SCORED, wish.source, action_type, points))

    def refused(self, wish: Increment | Update, refusal: Refusal, now_us: int, age_s: int, keys: ActionKeys) -> None:
        """It did not; `age_s` is how long such a token lives."""
        if self._told.take(now_us) is None:
            seen = suspicion(wish, refusal, self._user_id, now_us=now_us, age_s=age_s, keys=keys)
            self._tell(Action(self._user_id, now_us, seen, wish.source))


def suspicion(
    wish: Increment | Update, refusal: Refusal, owner: UserId, *, now_us: int, age_s: int, keys: ActionKeys
) -> Seen:
    """What a refused token tells of who presented it. Pure.

    Manipulated is what claims to be good now and was signed by nobody here, though it names one of our keys, or none.
    Keys are believed as long as their tokens live, so no honest token is that; one that says itself that it has expired
    may be of a key that is gone, and text that never was a token is a mistake. One that names a key that is not here
    may be made up, or of a server that has lost its keys since: then all honest players have such tokens.
    """
    if isinstance(wish, Increment):
        return _of_token(wish.token, owner, now_us // 1000, age_s * 1000, keys) if _is(refusal) else Seen.REFUSED
    if wish.token is None or not _is(refusal):
        return Seen.REFUSED
    earned = read(wish.token, keys)
    if earned is not None:
        return Seen.REFUSED if earned.user_id == owner else Seen.STOLEN
    fields = _fields(wish.token)
    return _unsigned(fields[0], keys) if _claim_now(fields, now_us, age_s * 1_000_000) else Seen.REFUSED


def _is(refusal: Refusal) -> bool:
    forged = isinstance(refusal, ActionTokenRefused) and refusal.details["reason"] == "forged"
    return forged or isinstance(refusal, TokenInvalid)


def _of_token(token: ActionToken, owner: UserId, now_ms: int, age_ms: int, keys: ActionKeys) -> Seen:
    presented = token.signature.encode("utf-8", "replace")
    ours = (sign(token.signed_text, key).encode() for key in (keys.current, *keys.previous))
    if any(hmac.compare_digest(one, presented) for one in ours):
        return Seen.STOLEN if token.user_id != owner else Seen.REFUSED
    if not now_ms - age_ms < token.timestamp_ms <= now_ms + CLOCK_SKEW_US // 1000:
        return Seen.REFUSED
    return _unsigned(token.nonce.partition(KEY_MARK)[0], keys)


def _unsigned(named: str, keys: ActionKeys) -> Seen:
    """What nobody here has signed, by the key that it names."""
    known = {key_id(key) for key in (keys.current, *keys.previous, *keys.rotated_out)}
    return Seen.UNKNOWN_KEY if KEY_ID.fullmatch(named) and named not in known else Seen.FORGED


def _fields(token: str) -> list[str]:
    """What a text that looks like a compact token says; nothing of any other text."""
    found = COMPACT.fullmatch(token)
    if found is None:
        return []
    payload = found[1]
    try:
        return base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode().split("\n")
    except (ValueError, binascii.Error):
        return []


def _claim_now(fields: list[str], now_us: int, age_us: int) -> bool:
    """Whether they name a moment at which a token would be good now."""
    moments = [int(each) for each in fields if each.isascii() and each.isdigit() and len(each) <= LONGEST_NUMBER]
    return any(now_us - age_us < moment_us <= now_us + age_us for moment_us in moments)
