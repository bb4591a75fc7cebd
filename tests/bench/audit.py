"""What all ways were told together, against what the ledger holds. Pure, so that it is seen to find what is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

#: Of each player, the totals that it was told.
Totals = Mapping[str, Sequence[int]]


class Inexact(Exception):
    """A point is missing, or counted twice."""


def total_of(user_id: str, acknowledged: Mapping[str, Totals]) -> int:
    """A player's score. Raises Inexact unless every total up to it was acknowledged, once, in one of the ways."""
    told = sorted(total for totals in acknowledged.values() for total in totals.get(user_id, []))
    if told != list(range(1, len(told) + 1)):
        raise Inexact(f"the totals acknowledged to {user_id} have gaps, or stand there twice")
    return len(told)


def require_rows(acknowledged: Mapping[str, Totals], rows: Mapping[str, Totals]) -> None:
    """Every way's rows of the ledger are what it was told, no more and no less; raises Inexact where they are not."""
    for way in acknowledged.keys() | rows.keys():
        if _sorted(acknowledged.get(way, {})) != _sorted(rows.get(way, {})):
            raise Inexact(f"the ledger's rows of {way} are not what was acknowledged")


def _sorted(totals: Totals) -> dict[str, list[int]]:
    return {user_id: sorted(each) for user_id, each in totals.items()}
