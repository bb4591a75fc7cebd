"""How to go on after an answer, or after none: pure decisions, taken by `client`."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from enum import Enum, auto

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0
LONGEST_OBEYED_S = 120.0  # ask again then, whatever the server said: every wait has a bound
DEFAULT_LIMITED_S = 1.0

HTTP_UNAUTHORIZED = 401
HTTP_REQUEST_TIMEOUT = 408
HTTP_TOO_EARLY = 425
HTTP_TOO_MANY_REQUESTS = 429
HTTP_SERVER_ERROR = 500


class Verdict(Enum):
    """What an HTTP status asks of the client, before anybody looks at the body."""

    ANSWERED = auto()
    LIMITED = auto()
    AGAIN = auto()


def judge(status: int) -> Verdict:
    """Sort a status: the answer stands, or the same request is to be sent again, at once or when the limit allows."""
    if status == HTTP_TOO_MANY_REQUESTS:
        return Verdict.LIMITED
    if status >= HTTP_SERVER_ERROR or status in (HTTP_REQUEST_TIMEOUT, HTTP_TOO_EARLY):
        return Verdict.AGAIN
    return Verdict.ANSWERED


def backoff_s(failures: int, rng: random.Random) -> float:
    """The pause after so many failures in a row (from 1): doubling, capped, and drawn from its upper half."""
    full = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(failures - 1, 10))
    return full * rng.uniform(0.5, 1.0)


def limited_s(body: Mapping[str, object], retry_after: str | None, rng: random.Random) -> float:
    """How long a 429 asks to wait: ``retryAfter`` of the body, else the header in seconds; a little jitter on top."""
    asked = _seconds(body.get("retryAfter"))
    if asked is None:
        asked = _seconds(_number(retry_after))
    if asked is None:
        asked = DEFAULT_LIMITED_S
    return min(asked, LONGEST_OBEYED_S) + rng.uniform(0.02, 0.1)


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(min(value, LONGEST_OBEYED_S)) if 0 <= value < math.inf else None


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text is not None else None
    except ValueError:  # the form with a date: the default will do
        return None
