"""Time and chance as this machine gives them."""

from __future__ import annotations

import secrets
import time


class SystemClock:
    """The machine's time of day."""

    def now_us(self) -> int:
        """Microseconds since the Unix epoch."""
        return time.time_ns() // 1000


class SystemIds:
    """Ids and nonces from the system's source of randomness."""

    def uuid(self) -> str:
        """A random UUID, of version 4."""
        digits = secrets.token_hex(16)
        variant = "89ab"[int(digits[16], 16) & 3]
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"

    def nonce(self) -> str:
        """128 random bits as lower-case hex."""
        return secrets.token_hex(16)
