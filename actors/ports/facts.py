"""Players' totals: one after a write, or many at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from actors.ports.ids import UserId

MAX_SCORE = 2**53


class ScoreFact(NamedTuple):
    """A player's total after a write (or at registration: version 0). `version` orders the facts of one player."""

    user_id: UserId
    username: str
    score: int
    version: int
    reached_us: int


@dataclass(frozen=True, slots=True)
class Members:
    """Many players' totals as columns of the same length: what a `ScoreFact` has, without an object for each player.

    `share` is how much of all has been told with these, from 0 to 1.
    """

    user_ids: Sequence[UserId]
    usernames: Sequence[str]
    scores: Sequence[int]
    versions: Sequence[int]
    reached_us: Sequence[int]
    share: float

    def part(self, start: int, stop: int) -> Members:
        """These of them, with the same share."""
        return Members(
            self.user_ids[start:stop],
            self.usernames[start:stop],
            self.scores[start:stop],
            self.versions[start:stop],
            self.reached_us[start:stop],
            self.share,
        )
