"""Which errors a route can answer: those that it declares, and those that follow from what else it declares."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from scoreboard.api.dialects import CODES_OF_B, DATABASE_ERROR, speaks_b
from scoreboard.api.errors import REFUSALS
from scoreboard.api.gate import API
from scoreboard.api.route import Access, Route
from scoreboard.wire.problems import UNAVAILABLE

#: The status of every code, in document A's words.
STATUS: Mapping[str, int] = {
    **{code: status for code, (status, _) in REFUSALS.items()},
    **dict.fromkeys(("UNAUTHORIZED", "ACCESS_TOKEN_INVALID", "ACCESS_TOKEN_EXPIRED", "ACCESS_TOKEN_REVOKED"), 401),
    **dict.fromkeys(("INVALID_CREDENTIALS", "REFRESH_TOKEN_EXPIRED", "REFRESH_TOKEN_INVALID"), 401),
    **dict.fromkeys(("USERNAME_TAKEN", "EMAIL_TAKEN"), 409),
    "NOT_FOUND": 404,
    "REQUEST_TIMEOUT": 408,
    "CONTENT_TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "INTERNAL_ERROR": 500,
}
OF_ALL = ("REQUEST_TIMEOUT", "CONTENT_TOO_LARGE", "INTERNAL_ERROR")  # any request may have a body
OF_CALLERS = ("UNAUTHORIZED", "ACCESS_TOKEN_INVALID", "ACCESS_TOKEN_EXPIRED", "ACCESS_TOKEN_REVOKED", "FORBIDDEN")


def faults_of(route: Route) -> dict[int, list[str]]:
    """The codes of all errors that a route can answer, by status, as the document of its address calls them."""
    found: dict[int, set[str]] = defaultdict(set)
    of_b = speaks_b(route.path)
    for code in _codes(route):
        found[STATUS[code]].add(CODES_OF_B.get(code, code) if of_b else code)
        if of_b and code == UNAVAILABLE:
            found[DATABASE_ERROR[0]].add(DATABASE_ERROR[1])
    return {status: sorted(codes) for status, codes in sorted(found.items())}


def _codes(route: Route) -> Iterator[str]:
    yield from OF_ALL
    yield from route.faults
    if route.path.startswith(API):
        yield "RATE_LIMITED"
    if route.query is not None:  # who does not look at it asks nobody else either
        yield from ("INVALID_INPUT", UNAVAILABLE)
    if route.access is not Access.ANYBODY:
        yield from OF_CALLERS
    if route.method != "GET":
        yield "UNSUPPORTED_MEDIA_TYPE"
