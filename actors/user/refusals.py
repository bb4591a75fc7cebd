"""The ways in which a player's wish is refused. Nothing has happened; the text says what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from actors.runtime import Refusal


class TokenExpired(Refusal):
    """The action token is older than it may be. It has not counted."""

    code = "TOKEN_EXPIRED"


class TokenRotatedOut(TokenExpired):
    """The action token was ours, under a key that is believed no more: all that it signed has expired."""

    details: Mapping[str, Any] = {"reason": "rotated_out"}


class TokenAlreadyUsed(Refusal):
    """The action token has counted once, and never will again."""

    code = "TOKEN_ALREADY_USED"


class TokenInvalid(Refusal):
    """The action token was not made by this server, or was made for somebody else."""

    code = "TOKEN_INVALID"


class ActionTokenRefused(Refusal):
    """The compact action token does not count.

    The `reason` in `details` is missing, forged, expired, rotated_out or used.
    """

    code = "INVALID_ACTION_TOKEN"

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.details: Mapping[str, Any] = {"reason": reason}


class CaptchaRequired(Refusal):
    """Who is restricted shows to be a person before another token is given."""

    code = "CAPTCHA_REQUIRED"
    details: Mapping[str, Any] = {"reason": "missing"}


class Unlike(Refusal):
    """A field of an update is not as it must be; `details` name it."""

    code = "INVALID_INPUT"

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.details: Mapping[str, Any] = {"field": field}


class SignatureRefused(Refusal):
    """The client's own signature under an update is wrong."""

    code = "FORBIDDEN"
    details: Mapping[str, Any] = {"reason": "clientSignature"}


class RateLimited(Refusal):
    """Too many requests; try again in `retry_after_s` seconds."""

    code = "RATE_LIMITED"

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class KeyReused(Refusal):
    """The idempotency key came before, with another request."""

    code = "IDEMPOTENCY_KEY_REUSED"


class UserBanned(Refusal):
    """The account may not score."""

    code = "USER_BANNED"


class UserNotFound(Refusal):
    """There is no such player (any more)."""

    code = "USER_NOT_FOUND"


class Unavailable(Refusal):
    """The server cannot do it just now. The same request, with the same idempotency key, may be made again."""

    code = "SERVICE_UNAVAILABLE"

    def __init__(self, message: str, *, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
