"""What can go wrong, told so that one knows what to do. Codes and advice are those of ``scoreboard/web/client.js``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LONGEST_OBEYED_S = 120.0  # ask again then, whatever the server said: every wait has a bound

_SIGN_IN = "Sign in: hand `token` to connect(), or call sign_in()."
ADVICE = {
    "UNAUTHORIZED": _SIGN_IN,
    "ACCESS_TOKEN_EXPIRED": "Sign in again; with a refresh_token, or a function as `token`, it renews itself.",
    "ACCESS_TOKEN_INVALID": _SIGN_IN,
    "ACCESS_TOKEN_REVOKED": "The session has ended. Sign in again.",
    "REFRESH_TOKEN_EXPIRED": "Sign in again.",
    "REFRESH_TOKEN_INVALID": "Sign in again.",
    "INVALID_CREDENTIALS": "Check the name and the password.",
    "INVALID_INPUT": "Mend what was sent; the same again is refused again.",
    "UNKNOWN_CHANNEL": "Watch a channel that this server has, for example leaderboard.top10.",
    "TOO_MANY_CHANNELS": "Stop watching another channel first.",
    "TOKEN_EXPIRED": "Ask for a new action token when the player begins the action.",
    "TOKEN_INVALID": "Send the action token exactly as it came, or ask for a new one.",
    "TOKEN_ALREADY_USED": "It has counted. A new action needs a new action token.",
    "IDEMPOTENCY_KEY_REUSED": "A new action needs a new idempotency_key.",
    "RATE_LIMITED": "Wait `retry_after_s` seconds and call again.",
    "USER_BANNED": "This account may not score.",
    "NO_ANSWER": "It may have counted. Call again with the same action token and idempotency_key: it counts once.",
    "TOO_MANY_COMMANDS": "Wait for answers before you send more.",
    "LINE_CLOSED": "The server ended the connection because of what this client sent. Look for a newer client.",
    "CLOSED": "The client was closed. Call connect() again.",
}
SIGN_IN_CODES = frozenset({"UNAUTHORIZED", "ACCESS_TOKEN_EXPIRED", "ACCESS_TOKEN_INVALID", "ACCESS_TOKEN_REVOKED"})
EXPIRY_CODES = frozenset({"TOKEN_EXPIRED", "TOKEN_REVOKED"})  # of the sign-in, on a live connection
AGAIN_CODES = frozenset({"SERVICE_UNAVAILABLE", "INTERNAL_ERROR", "NOT_READY"})
SERVER_ERROR = 500
LATER_CODES = AGAIN_CODES | {"RATE_LIMITED", "RATE_LIMIT_EXCEEDED"}


class ClientError(Exception):
    """Root of what this package raises."""


@dataclass(frozen=True, slots=True)
class Retry:
    """What to hand to ``increment`` once more: it counts once."""

    action_token: Mapping[str, Any]
    idempotency_key: str


class ScoreboardError(ClientError):
    """What could not be done.

    Args:
        code: For programs; those of the server, and ``NO_ANSWER``, ``TOO_MANY_COMMANDS``, ``LINE_CLOSED``, ``CLOSED``.
        said: For people; what to do is added to it.
        retry_after_s: How long the server asks to wait, None if it does not say.
        retry: Of an increment: what to hand in again, where the code allows it.
        status: Of REST; None for what the live feed said.
    """

    def __init__(
        self,
        code: str,
        said: str = "",
        *,
        retry_after_s: float | None = None,
        retry: Retry | None = None,
        status: int | None = None,
    ) -> None:
        self.advice = ADVICE.get(code, "")
        super().__init__(" ".join(filter(None, [said or code, self.advice])))
        self.code = code
        self.retry_after_s = retry_after_s
        self.retry = retry
        self.status = status

    @property
    def is_trouble(self) -> bool:
        """Whether the server could not, for now: a command is sent again by itself."""
        return self.code in AGAIN_CODES or (self.status is not None and self.status >= SERVER_ERROR)


class LineLost(ClientError):
    """The socket could not be had, or is gone; the client comes back by itself and callers never see this."""

    def __init__(self, code: int | None = None, retry_after_s: float | None = None) -> None:
        """`code` is the close code, if one was heard; `retry_after_s` when the server would like us back."""
        super().__init__(f"close code {code}")
        self.code = code
        self.retry_after_s = retry_after_s


class NoAnswer(ClientError):
    """A request had no answer in time."""


def is_later(failure: ClientError) -> bool:
    """Whether it may go better later: no answer at all, a server in trouble, a limit."""
    return not isinstance(failure, ScoreboardError) or failure.code in LATER_CODES or failure.is_trouble


def seconds(value: object) -> float | None:
    """A number of seconds in an answer, bounded; None for anything else."""
    try:
        found = float(value) if isinstance(value, int | float | str) else -1.0
    except ValueError:  # the form of Retry-After with a date
        return None
    return min(found, LONGEST_OBEYED_S) if found >= 0 else None
