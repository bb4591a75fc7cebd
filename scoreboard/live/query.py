"""What the query of a live address says. Pure; what else stands in it is the client's own business."""

from __future__ import annotations

from urllib.parse import parse_qs

_MOST_FIELDS = 64


def fields_of(query: str) -> dict[str, list[str]]:
    """The values of each field; of a query with too many of them, none."""
    try:
        return parse_qs(query, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return {}


def asks_full(query: str) -> bool:
    """Whether whole boards are wanted instead of differences."""
    return fields_of(query).get("full") == ["true"]
