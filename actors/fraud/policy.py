"""What the rules are given: how bad each finding is, what follows of it, and where the bounds lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import NamedTuple

from actors.ports import Consequence, Severity


class Ruling(NamedTuple):
    """How bad it is, and what follows."""

    severity: Severity
    consequence: Consequence


class Verdict(NamedTuple):
    """What a rule found, in a sentence that people read."""

    rule: str
    severity: Severity
    consequence: Consequence
    explanation: str


def ruling(text: str) -> Ruling | None:
    """What a setting like ``high flag`` says; None of ``off``."""
    if text == "off":
        return None
    severity, _, consequence = text.partition(" ")
    return Ruling(Severity(severity), Consequence(consequence))


#: By rule. Those of document A are as it has them; the order is that in which they are judged.
USUAL: Mapping[str, str] = {
    "forged": "critical ban",
    "unknown_key": "medium log",
    "honeypot": "critical quarantine",
    "stolen": "high flag",
    "false_proof": "medium log",
    "too_soon": "medium log",
    "rapid": "high flag",
    "hours": "medium log",
    "address": "low log",
    "addresses": "medium log",
    "device": "low log",
    "country": "low log",
    "travel": "medium log",
    "gain": "high flag",
    "pattern": "medium log",
    "gap": "medium log",
    "velocity": "high flag",
    "unusual": "medium log",
}

RULE_NAMES = tuple(USUAL)

#: Rules that judge a player's pace: they say nothing where nobody's pace is limited.
OF_PACE = frozenset({"rapid", "hours", "gain", "pattern", "gap", "velocity", "unusual", "too_soon"})


def usual_rulings() -> dict[str, Ruling]:
    """Those of `USUAL`."""
    return {rule: Ruling(*found) for rule, text in USUAL.items() if (found := ruling(text)) is not None}


@dataclass(frozen=True, slots=True)
class Policy:
    """`rulings` has the rules that are on. Nights begin and end with whole hours of `zone`, the last one included.

    Who does not score for `break_s` has a break, which tells nothing of the pace of a run of so many gaps.
    """

    rulings: Mapping[str, Ruling] = field(default_factory=usual_rulings)
    rapid_most: int = 8
    rapid_s: float = 10.0
    night: tuple[int, int] = (2, 5)
    zone: tzinfo = UTC
    gain_per_hour: int = 20_000
    addresses_per_hour: int = 4
    travel_s: float = 7200.0
    pattern_length: int = 12
    pattern_spread: float = 0.075
    break_s: float = 1800.0
    run_length: int = 12
    in_logarithms: bool = True
    runs_known: int = 16
    gap_z: float = 4.5
    hours_known: int = 12
    velocity_z: float = 4.0
    unusual_from: float = 0.88
