"""Bounds of the stores for tests: each gets to the end of the one that it is about, however busy the machine is."""

from __future__ import annotations

from dataclasses import dataclass, replace

from scoreboard.stores.postgres_connections import Bounds

UNHURRIED = Bounds(connect_s=20, acquire_s=20, release_s=20, command_s=60, close_s=20)
#: What does not react is cut soon; whatever reacts has long done so.
CUTTING = replace(UNHURRIED, release_s=0.3, close_s=0.3)


@dataclass(frozen=True, slots=True)
class HastyAtLocks(Bounds):
    """The server gives up on a lock at once, and the client on the server long after that."""

    @property
    def lock_s(self) -> float:
        """For one lock, at the server."""
        return 0.05


HASTY_AT_LOCKS = HastyAtLocks(connect_s=20, acquire_s=20, release_s=20, command_s=60, close_s=20)
