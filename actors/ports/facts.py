"""A player's total, and what led to it."""

from __future__ import annotations

from typing import NamedTuple

from actors.ports.ids import UserId

MAX_SCORE = 2**53


class ScoreFact(NamedTuple):
    """A player's total after a write (or at registration: version 0). `version` orders the facts of one player.

    `points` is what this write added and `occurred_us` the time of its action; a fact that added nothing (a
    registration, a change of profile, a write to a full total) has 0 points and no time that means anything. Facts of
    one player are without a gap if each version is one more than the last and each `score - points` the last score;
    otherwise some were not seen. Name, country and avatar are those that the player had then, or later ones.

    `hidden`: the player is banned or quarantined, and no board shows the player to others. To be hidden, or shown
    again, is a fact with the next version, the score and the moment of before.
    """

    user_id: UserId
    username: str
    score: int
    version: int
    reached_us: int
    points: int = 0
    occurred_us: int = 0
    country: str | None = None
    avatar: str | None = None
    hidden: bool = False
