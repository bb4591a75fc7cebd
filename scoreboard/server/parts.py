"""What a server has from the beginning, without waiting for anything."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from scoreboard.observe.logs import Logger
from scoreboard.observe.metrics import Metrics
from scoreboard.security.familiar import Familiar
from scoreboard.security.keyfolder import LiveKeys
from scoreboard.security.revoked import RevokedSessions
from scoreboard.server.place import Place
from scoreboard.server.system import SystemClock, SystemIds
from scoreboard.settings import Settings


@dataclass(slots=True)
class Parts:
    """Settings, keys, clock and chance, where to log and to count, and of several workers which one this is."""

    settings: Settings
    log: Logger
    metrics: Metrics
    keys: LiveKeys
    clock: SystemClock
    revoked: RevokedSessions
    familiar: Familiar
    place: Place | None = None
    ids: SystemIds = field(default_factory=SystemIds)
    rng: random.Random = field(default_factory=random.SystemRandom)
    ending: bool = False  # who asks whether it is ready shall go elsewhere

    @property
    def seat(self) -> int:
        """Of this worker; 0 if it is the only one."""
        return 0 if self.place is None else self.place.seat
