"""Action tokens in document B's form: one compact text, bound to who did what for how many points. Without any store.

``v1.<payload>.<mac>``, both parts base64url without padding; the payload's fields stand one a line.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import NamedTuple

from actors.ports import UserId
from actors.user.token import ActionKeys, sign

PREFIX = "v1."
LONGEST = 1024


class Earned(NamedTuple):
    """The right to score once for one action, which was proven at `proven_us`."""

    user_id: UserId
    action_type: str
    action_id: str
    points: int
    proven_us: int


def action_name(action_id: str) -> bytes:
    """What an action counts under, once and for ever, whoever did it and whatever token it is presented with.

    Like the rows of services, which stand under ``service``, line break, id; no service has an empty name. So the two
    never meet: a service's ids are its own, and one that proves actions here says them to everybody.
    """
    return hashlib.sha256(f"\n{action_id}".encode()).digest()


def issue(earned: Earned, keys: ActionKeys) -> str:
    """The token. No field holds a line break."""
    signed = PREFIX + _base64url("\n".join(map(str, earned)).encode())
    return f"{signed}.{_mac(signed, keys.current)}"


def read(token: str, keys: ActionKeys) -> Earned | None:
    """What one of our tokens says, None of any other text."""
    signed, dot, mac = token.rpartition(".")
    if len(token) > LONGEST or not (dot and token.isascii() and signed.startswith(PREFIX)):
        return None
    matches = [hmac.compare_digest(_mac(signed, key), mac) for key in (keys.current, *keys.previous)]
    if not any(matches):
        return None
    try:
        payload = signed.removeprefix(PREFIX)
        fields = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode().split("\n")
        user_id, action_type, action_id, points, proven_us = fields
    except (ValueError, binascii.Error):  # signed by us, but by a version of us that wrote something else
        return None
    return Earned(UserId(user_id), action_type, action_id, int(points), int(proven_us))


def _mac(signed: str, key: bytes) -> str:
    return _base64url(bytes.fromhex(sign(signed, key)))


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
