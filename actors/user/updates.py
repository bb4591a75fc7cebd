"""The judgement of a score update in document B's form. Pure: what it costs is two signatures."""

from __future__ import annotations

import hashlib
import hmac

from actors.ports import CLOCK_SKEW_US, NEVER_US, UserId
from actors.runtime import Refusal
from actors.user.earned import Earned, RotatedOut, action_name, read
from actors.user.messages import Update
from actors.user.refusals import ActionTokenRefused, SignatureRefused, Unlike
from actors.user.right import Right
from actors.user.token import ActionKeys


def judge(wish: Update, *, owner: UserId, now_us: int, keys: ActionKeys) -> Right | Refusal:
    """What the token gives a right to, or the first thing that is wrong: token, fields, client signature, time."""
    if wish.token is None:
        return ActionTokenRefused("The header X-Action-Token is missing.", reason="missing")
    earned = read(wish.token, keys)
    if earned is None or earned.user_id != owner:
        return ActionTokenRefused("Action token is invalid or already used", reason="forged")
    if isinstance(earned, RotatedOut):
        return ActionTokenRefused("The key of this action token was rotated out", reason="rotated_out")
    if now_us >= earned.expires_us:
        return ActionTokenRefused("Action token has expired", reason="expired")
    unlike = _unlike(wish, earned)
    if unlike is not None:
        return Unlike(f"{unlike} is not what the action token was given for.", field=unlike)
    presented = wish.signature.lower().encode("utf-8", "replace")
    if not any(hmac.compare_digest(signature(wish, secret), presented) for secret in wish.secrets):
        return SignatureRefused("The clientSignature does not belong to this request.")
    if wish.moment_us > now_us + CLOCK_SKEW_US:
        return Unlike("The timestamp lies in the future.", field="timestamp")
    name = action_name(earned.action_id)
    return Right(earned.points, earned.action_type, name, NEVER_US, earned.proven_us, earned.action_id)


def signature(wish: Update, secret: bytes) -> bytes:
    """What the client must have signed, as lower-case hex: user, action, time and points as it wrote them."""
    text = f"{wish.user_text}{wish.action_id}{wish.timestamp}{wish.points}"
    return hmac.new(secret, text.encode("utf-8", "replace"), "sha256").hexdigest().encode()


def hash_of(wish: Update) -> bytes:
    """What makes two updates the same request: the token and all fields of the body."""
    said = (wish.token or "", wish.user_text, wish.action_type, wish.action_id, wish.timestamp, wish.signature)
    return hashlib.sha256("\n".join(("update", str(wish.points), *said)).encode("utf-8", "replace")).digest()


def _unlike(wish: Update, earned: Earned) -> str | None:
    """The first field that the token was not given for, as document B calls it."""
    if wish.action_type != earned.action_type:
        return "actionType"
    if wish.action_id.lower() != earned.action_id:
        return "actionId"
    return "scoreIncrement" if wish.points != earned.points else None
