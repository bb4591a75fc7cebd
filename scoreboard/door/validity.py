"""From when to when clients believe a certificate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

#: Who renews certificates does so earlier: after two thirds of their time, as a rule.
LAST_PART = 0.1
_DAY_S, _HOUR_S = 86_400, 3600


@dataclass(frozen=True, slots=True)
class Validity:
    """That of a certificate, in seconds since the epoch."""

    begins_s: float
    ends_s: float

    def trouble(self, now_s: float) -> str | None:
        """A sentence for the operator, if clients refuse it now or soon; None if all is well."""
        if now_s < self.begins_s:
            return f"it is not valid yet, for {_spoken(self.begins_s - now_s)}: clients refuse it; is the clock right?"
        if now_s >= self.ends_s:
            return f"it has ended {_spoken(now_s - self.ends_s)} ago: clients refuse it, renew it"
        if self.ends_s - now_s < LAST_PART * (self.ends_s - self.begins_s):
            return f"it ends in {_spoken(self.ends_s - now_s)}: renew it"
        return None

    @classmethod
    def of(cls, certificate: Path) -> Validity:
        """Of the first one in a file of PEM, the server's own; nothing is said of what cannot be read. Blocks."""
        try:
            first = x509.load_pem_x509_certificate(certificate.read_bytes())
            return cls(first.not_valid_before_utc.timestamp(), first.not_valid_after_utc.timestamp())
        except (OSError, ValueError):
            return cls(-math.inf, math.inf)


def _spoken(seconds: float) -> str:
    unit, name = (_DAY_S, "days") if seconds >= 2 * _DAY_S else (_HOUR_S, "hours")
    return f"{seconds / unit:.1f} {name}"
