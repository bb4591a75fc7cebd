"""What the query of a live address says. Pure; what else stands in it is the client's own business."""

from __future__ import annotations

from urllib.parse import parse_qs

MOST_FIELDS = 64


class TooManyFields(ValueError):
    """A query is not read any further; the sentence says so to who sent it."""

    def __init__(self) -> None:
        super().__init__(f"The query of the address has more than {MOST_FIELDS} fields.")


def fields_of(query: str) -> dict[str, list[str]]:
    """The values of each field.

    Raises:
        TooManyFields: there are more than `MOST_FIELDS`.
    """
    try:
        return parse_qs(query, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise TooManyFields from error


def asks_full(query: str) -> bool:
    """Whether whole boards are wanted instead of differences; raises as `fields_of`."""
    return fields_of(query).get("full") == ["true"]
