"""How far a client has been shown one channel."""

from __future__ import annotations

from dataclasses import dataclass

from actors.leaderboard.events import Channel
from actors.leaderboard.messages import Seats, Update


@dataclass(slots=True)
class Watched:
    """What the client has seen of a channel, as long as it does not sit on one of the `seats`."""

    full: bool
    epoch: str | None = None
    version: int = 0
    seats: Seats | None = None
    believed: bool = False  # the client said that it was shown this; no step has come since

    def doubt(self, update: Update) -> None:
        """What a client said of itself may be nothing that there ever was."""
        if self.believed and self.epoch == update.epoch and self.version > update.version:
            self.epoch = None
        self.believed = False


def differ_in_radius(one: Channel, other: Channel) -> bool:
    """Whether both are the surroundings of a player on one board, of whatever radius."""
    return one.around and other.around and one.board == other.board and bool(one.size) == bool(other.size)
