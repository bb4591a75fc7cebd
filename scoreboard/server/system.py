"""Time and chance as this machine gives them."""

from __future__ import annotations

import secrets
import time
import uuid


class SystemClock:
    """The machine's time of day."""

    def now_us(self) -> int:
        """Microseconds since the Unix epoch."""
        return time.time_ns() // 1000


class SystemIds:
    """Ids and nonces from the system's source of randomness."""

    def uuid(self) -> str:
        """A random UUID."""
        return str(uuid.uuid4())

    def nonce(self) -> str:
        """128 random bits as lower-case hex."""
        return secrets.token_hex(16)
