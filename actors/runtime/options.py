"""The bounds of one actor."""

from __future__ import annotations

from dataclasses import dataclass, field

from actors.runtime.restarts import RestartPolicy


@dataclass(frozen=True, slots=True)
class CellOptions:
    """Bounds of one actor: `capacity` of its mailbox, seconds for its hooks, and how often it may fail."""

    capacity: int = 1000
    start_within_s: float = 10.0
    stop_within_s: float = 5.0
    restarts: RestartPolicy = field(default_factory=RestartPolicy)
