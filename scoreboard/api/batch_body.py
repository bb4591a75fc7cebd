"""The body of a batch: read once as fast as can be, and once more, row by row, when anything about it is odd."""

from __future__ import annotations

import re
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from actors.service.messages import ScoreRow
from scoreboard.api.body import LONGEST_SENTENCE, parse
from scoreboard.api.errors import invalid_input
from scoreboard.wire.texts import UUID

MOST_ROWS = 1_000
#: A row with the longest id and name of an action, and some room.
MOST_BYTES = MOST_ROWS * 512
INCREMENT = "INCREMENT"

_UUID = re.compile(UUID)
_VISIBLE = re.compile(r"[\x21-\x7e]{1,128}").fullmatch
_TOP = "The body must be an object with one field, scores: an array of rows."


class BadRow(NamedTuple):
    """A row that is none: what it says of itself, and what is wrong with it."""

    action_id: str | None
    user_id: str | None
    message: str


class Row(Struct, frozen=True, forbid_unknown_fields=True, rename="camel", gc=False):
    """One score, as it is sent. What is described beyond the types is judged row by row."""

    user_id: Annotated[str, Meta(extra_json_schema={"pattern": f"^{_UUID.pattern}$"})]
    action_id: Annotated[str, Meta(extra_json_schema={"pattern": "^[!-~]{1,128}$"})]
    action_type: Annotated[str | UnsetType, Meta(extra_json_schema={"pattern": r"^[^\u0000]{1,50}$"})] = UNSET
    score_increment: Annotated[int | UnsetType, Meta(extra_json_schema={"minimum": 1})] = UNSET


class Batch(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """Scores in their order."""

    scores: list[Row]


_decode = msgspec.json.Decoder(Batch).decode


def rows_of(raw: bytes) -> list[ScoreRow | BadRow]:
    """The rows in order; raises ApiError when the body as a whole is none, or has more than `MOST_ROWS` of them."""
    rows = _read_fast(raw)
    if rows is None:
        return _read_slowly(raw)
    _require_few(len(rows))
    return [_checked(row) for row in rows]


def _read_fast(raw: bytes) -> list[Row] | None:
    """All rows of a body in which nothing is odd; None of others.

    The decoder takes the last of two fields of one name. So each name must stand there as often as rows have it, and
    no more; without a backslash no name can be spelt in another way.
    """
    if b"\\" in raw or b"\0" in raw:
        return None
    try:
        rows = _decode(raw).scores
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    named = {
        b'"scores"': 1,
        b'"userId"': len(rows),
        b'"actionId"': len(rows),
        b'"actionType"': sum(row.action_type is not UNSET for row in rows),
        b'"scoreIncrement"': sum(row.score_increment is not UNSET for row in rows),
    }
    return rows if all(raw.count(name) == times for name, times in named.items()) else None


def _read_slowly(raw: bytes) -> list[ScoreRow | BadRow]:
    """Strictly, and each row by itself: one that is malformed costs nobody else."""
    value = parse(raw)
    if not isinstance(value, dict) or set(value) != {"scores"} or not isinstance(value["scores"], list):
        raise invalid_input(_TOP)
    _require_few(len(value["scores"]))
    return [_converted(row) for row in value["scores"]]


def _require_few(count: int) -> None:
    if count > MOST_ROWS:
        raise invalid_input(f"A batch has at most {MOST_ROWS} rows; this one has {count}.")


def _converted(value: Any) -> ScoreRow | BadRow:
    try:
        return _checked(msgspec.convert(value, Row, strict=True))
    except msgspec.ValidationError as error:
        said = value if isinstance(value, dict) else {}
        action_id, user_id = (
            text if isinstance(text := said.get(name), str) else None for name in ("actionId", "userId")
        )
        return BadRow(action_id, user_id, f"The row is not as expected: {error}."[:LONGEST_SENTENCE])


def _checked(row: Row) -> ScoreRow | BadRow:
    if not _UUID.fullmatch(row.user_id):
        return BadRow(row.action_id, row.user_id, "userId must be the id of a player: a UUID.")
    if not _VISIBLE(row.action_id):
        return BadRow(row.action_id, row.user_id, "actionId must have 1 to 128 visible ASCII characters.")
    return ScoreRow(
        row.user_id.lower(),
        row.action_id,
        INCREMENT if row.action_type is UNSET else row.action_type,
        None if row.score_increment is UNSET else row.score_increment,
    )
