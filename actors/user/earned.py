"""Action tokens in document B's form: one compact text, bound to who did what for how many points. Without any store.

``v2.<payload>.<mac>``, both parts base64url without padding. The payload's fields stand one a line: the id of the key,
then those of `Earned`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import NamedTuple

from actors.ports import UserId, key_id
from actors.user.token import ActionKeys, sign

PREFIX = "v2."
#: Tokens of former times said neither their key nor their end; a server that was just brought up to date takes them.
FORMER_PREFIX, FORMER_AGE_US = "v1.", 300_000_000
LONGEST = 1024


class Earned(NamedTuple):
    """The right to score once for one action, which was proven at `proven_us`, before `expires_us`."""

    user_id: UserId
    action_type: str
    action_id: str
    points: int
    proven_us: int
    expires_us: int


class RotatedOut(NamedTuple):
    """It was ours, under a key that is believed no more."""

    user_id: UserId


def action_name(action_id: str) -> bytes:
    """What an action counts under, once and for ever, whoever did it and whatever token it is presented with.

    Like the rows of services, which stand under ``service``, line break, id; no service has an empty name. So the two
    never meet: a service's ids are its own, and one that proves actions here says them to everybody.
    """
    return hashlib.sha256(f"\n{action_id}".encode()).digest()


def issue(earned: Earned, keys: ActionKeys) -> str:
    """The token. No field holds a line break."""
    signed = PREFIX + _base64url("\n".join((key_id(keys.current), *map(str, earned))).encode())
    return f"{signed}.{_base64url(bytes.fromhex(sign(signed, keys.current)))}"


def read(token: str, keys: ActionKeys) -> Earned | RotatedOut | None:
    """What one of our tokens says, None of any other text."""
    signed, dot, mac = token.rpartition(".")
    if len(token) > LONGEST or not (dot and token.isascii() and signed.startswith((PREFIX, FORMER_PREFIX))):
        return None
    try:
        named, *fields = _fields(signed)
        key = keys.maker(signed, _bytes(mac).hex().encode(), named)
        if key is None or mac != _base64url(_bytes(mac)):  # base64 has several texts for the same bytes
            return None
        user_id, action_type, action_id, points, proven_us, expires_us = map(str, fields)
        earned = Earned(UserId(user_id), action_type, action_id, int(points), int(proven_us), int(expires_us))
    except (ValueError, binascii.Error):  # no base64; or signed by a version of us that wrote something else
        return None
    return RotatedOut(earned.user_id) if key in keys.rotated_out else earned


def _fields(signed: str) -> list[str | None]:
    """The id of the key, None if it is not told, and what else is told."""
    fields: list[str | None] = [*_bytes(signed[len(PREFIX) :]).decode().split("\n")]
    if signed.startswith(PREFIX):
        return fields
    return [None, *fields, str(int(fields[-1] or "") + FORMER_AGE_US)]


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
