"""A row of a board as both documents show it."""

from __future__ import annotations

from typing import Any

from actors.leaderboard.events import Row
from scoreboard.wire.times import iso


def row_json(row: Row) -> dict[str, Any]:
    """Rank, player, score, and when the player reached it."""
    return {
        "rank": row.rank,
        "userId": row.user_id,
        "username": row.username,
        "score": row.score,
        "lastUpdated": iso(row.reached_us),
    }
