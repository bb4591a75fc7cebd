"""Which board a request is about: ``period`` and ``country`` in its query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from actors.leaderboard.scope import board_of, scope_of
from actors.ports import BoardId, BoardScope, Period
from scoreboard.api.query import OneOf, Whole
from scoreboard.api.world import ApiWorld
from scoreboard.wire.countries import COUNTRIES, SPOKEN, country_of
from scoreboard.wire.times import iso

PERIODS = OneOf("ALL_TIME", tuple(period.name for period in Period))
CLOSING_PERIODS = OneOf("DAILY", tuple(period.name for period in Period if period is not Period.ALL_TIME))


@dataclass(frozen=True, slots=True)
class Country:
    """A country, or none: all players."""

    default: None = None
    expected: str = "a code of ISO 3166-1 in two capitals, like US"

    def read(self, text: str) -> str | None:
        """See `Rule.read`."""
        return country_of(text)

    @property
    def schema(self) -> dict[str, Any]:
        """See `Rule.schema`."""
        return {"type": "string", "enum": sorted({*COUNTRIES, *SPOKEN}), "description": self.expected}


SCOPE: Mapping[str, Any] = {"period": PERIODS, "country": Country()}
PAGE: Mapping[str, Any] = {
    "limit": Whole(default=10, least=1, most=100),
    "offset": Whole(default=0, least=0, most=2**53),
}


def board_in(asked: Mapping[str, Any]) -> BoardId:
    """The board of what was asked for."""
    return board_of(BoardScope(Period[asked["period"]], asked["country"]))


def told_of(world: ApiWorld, board: BoardId) -> dict[str, Any]:
    """What an answer says of its board: period, country if it has one, and when it begins anew if it does."""
    scope = scope_of(board)
    told = {"period": scope.period.name}
    if scope.country is not None:
        told["country"] = scope.country
    view = world.published.get(board)
    if view is not None and view.span is not None:
        told["resetsAt"] = iso(view.span.end_us)
    return told
