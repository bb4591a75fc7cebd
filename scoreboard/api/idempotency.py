"""The header `Idempotency-Key`: the same request with the same key happens once, and is answered alike."""

from __future__ import annotations

import hmac
import uuid

from scoreboard.api.answer import Headers
from scoreboard.api.errors import invalid_input
from scoreboard.api.request import ApiRequest
from scoreboard.wire.scores import is_key

REPLAYED: Headers = ((b"idempotency-replayed", b"true"),)


def idempotency_key(request: ApiRequest) -> str | None:
    """The request's key, None without one; raises ApiError (400) unless it is 1 to 255 visible ASCII."""
    values = request.header_values(b"idempotency-key")
    if not values:
        return None
    if len(values) > 1 or not is_key(values[0]):
        raise invalid_input("The header Idempotency-Key must hold 1 to 255 visible ASCII characters, once.")
    return values[0]


def id_of(key: str, said: str, secret: bytes) -> str:
    """The id of what a keyed request makes: the same for the same request, and nobody else can know it before."""
    digest = hmac.digest(secret, f"made by {key}\n{said}".encode(errors="surrogatepass"), "sha256")
    return str(uuid.UUID(bytes=digest[:16], version=4))
