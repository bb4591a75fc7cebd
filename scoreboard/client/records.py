"""What the client hands out beside views."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

State = Literal["connecting", "live", "reconnecting", "polling", "offline", "closed"]


@dataclass(frozen=True, slots=True)
class Status:
    """How the way to the scoreboard is.

    ``connecting``: the first try is under way. ``live``: the socket brings every change. ``reconnecting``: the socket
    was lost; next try at `retry_at`, None while one is under way. ``polling``: the socket is refused; asking every
    5 s, and trying the socket now and then. ``offline``: neither answers; next poll at `retry_at`. ``closed``: the
    block was left. `retry_at` is a time of ``trio.current_time()``.
    """

    state: State
    retry_at: float | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """What an increment did; it is on disk. Ranks are None when the board could not be asked."""

    new_score: int
    previous_rank: int | None
    new_rank: int | None
    rank_changed: bool
    repeated: bool

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Score:
        """From the data of an answer."""
        ranks = (data.get("previousRank"), data.get("newRank"))
        return cls(data["newScore"], *ranks, bool(data.get("rankChanged")), bool(data.get("repeated")))


@dataclass(frozen=True, slots=True)
class ActionToken:
    """The right to score once: `token` as the server gave it, good until `expires_at_ms` (since 1970)."""

    token: Mapping[str, Any]
    expires_at_ms: int
    expires_in_s: float

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> ActionToken:
        """From the data of an answer."""
        return cls(data["actionToken"], data["expiresAt"], data["expiresIn"])
