"""Answers for pages of other origins, as far as the settings list them (CORS).

Who asks proves it by a header that the page sets itself, never by a cookie; so no credentials of the browser are
allowed, and a page gains nothing that a program would not have.
"""

from __future__ import annotations

from scoreboard.api.answer import Headers
from scoreboard.api.request import ApiRequest
from scoreboard.wire.origins import Origins

EXPOSED = (
    b"etag, idempotency-replayed, ratelimit, ratelimit-policy, retry-after, x-ratelimit-limit, x-ratelimit-remaining, "
    b"x-ratelimit-reset, x-request-id"
)
ACCEPTED = b"authorization, content-type, idempotency-key, if-none-match, x-action-token, x-request-id"
PREFLIGHT_KEPT_S = 7200  # as long as browsers keep it at most
VARIES = (b"vary", b"origin")


class Sharing:
    """Which headers an answer needs so that a page of another origin may read it."""

    def __init__(self, origins: Origins) -> None:
        self._origins = origins
        self._varies: Headers = (VARIES,) if origins.any_listed else ()

    def __repr__(self) -> str:
        return f"<Sharing {self._origins!r}>"

    def headers(self, request: ApiRequest) -> Headers:
        """Of any answer."""
        if not self._varies:
            return ()
        origin = self._listed(request)
        if origin is None:
            return self._varies
        allowed = (b"access-control-allow-origin", origin.encode("latin1"))
        return (*self._varies, allowed, (b"access-control-expose-headers", EXPOSED))

    def preflight(self, request: ApiRequest, methods: bytes) -> Headers:
        """Of the answer to OPTIONS, when a browser asks in the name of a page; `methods` as `Allow` has them."""
        if not self._varies or self._listed(request) is None or not request.header(b"access-control-request-method"):
            return ()
        return (
            (b"access-control-allow-methods", methods),
            (b"access-control-allow-headers", ACCEPTED),
            (b"access-control-max-age", b"%d" % PREFLIGHT_KEPT_S),
        )

    def _listed(self, request: ApiRequest) -> str | None:
        values = request.header_values(b"origin")
        return values[0] if len(values) == 1 and self._origins.lists(values[0]) else None
