"""The secret with which a client signs its requests: one for each session, made again whenever it is needed."""

from __future__ import annotations

import hmac


def client_secret(session_id: str, key: bytes) -> str:
    """64 hexadecimal digits that only who signed in to that session, and this server, can know.

    The text itself is the key of the client's HMAC, not the bytes that it spells.
    """
    return hmac.new(key, f"client-secret:{session_id}".encode(), "sha256").hexdigest()
