"""What the watch on fraud needs from outside, and its bounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from actors.fraud.policy import Policy
from actors.ports import FraudEvent, FraudStore, Ids, Learner
from actors.runtime import Ref


@dataclass(frozen=True, slots=True)
class FraudRules:
    """What is judged, and how. A `learner` compares players with each other, if there is one.

    `secret` makes the marks of places; `country_of` tells where an address is. The same of the same player is told once
    in `again_s`. Who is restricted is so for `restrict_s`.
    """

    policy: Policy = field(default_factory=Policy)
    secret: bytes = b""
    learner: Learner | None = None
    country_of: Callable[[str], str | None] = lambda _: None
    again_s: float = 60.0
    restrict_s: float = 3600.0


@dataclass(frozen=True, slots=True)
class FraudWorld:
    """`standing` imposes. `detected` hears of each finding, told or not; `lost` counts what was not judged or kept.

    Habits of `most_players` stay in memory, and are kept after `keep_s`; findings are written after `breath_s`. What
    cannot be written or imposed is tried again after `retry_s`, `most_waiting` of each at most.
    """

    store: FraudStore
    standing: Ref
    ids: Ids
    rules: FraudRules
    detected: Callable[[str, str], None] = lambda _rule, _severity: None
    told: Callable[[FraudEvent], None] = lambda _event: None
    lost: Callable[[int], None] = lambda _: None
    most_players: int = 5_000
    most_waiting: int = 10_000
    keep_s: float = 30.0
    breath_s: float = 0.2
    retry_s: float = 5.0
    store_within_s: float = 10.0
    last_words_s: float = 1.0
