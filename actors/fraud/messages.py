"""What the watch on fraud may be told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from actors.ports import Source, UserId


class Seen(StrEnum):
    """What became of an attempt to score, as far as it tells something of who made it."""

    SCORED = "scored"
    REFUSED = "refused"
    FORGED = "forged"
    STOLEN = "stolen"
    TOO_SOON = "too_soon"
    FALSE_PROOF = "false_proof"
    HONEYPOT = "honeypot"
    UNKNOWN_KEY = "unknown_key"


@dataclass(frozen=True, slots=True)
class Action:
    """A player tried to score; `points` are what it brought."""

    user_id: UserId
    at_us: int
    seen: Seen
    source: Source
    action_type: str = ""
    points: int = 0
