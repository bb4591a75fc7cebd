"""Where a request came from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """Where a request came from, for the audit. `service`: from one of the game's own servers, not from a person."""

    address: str | None
    user_agent: str | None
    service: bool = False


#: Of what nobody sent from outside.
NOWHERE = Source(None, None)
#: Stands in place of what was known of a person whose key has been erased.
ERASED = "erased"
