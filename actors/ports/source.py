"""Where a request came from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """Where a request came from, for the audit."""

    address: str | None
    user_agent: str | None


#: Of what nobody sent from outside.
NOWHERE = Source(None, None)
