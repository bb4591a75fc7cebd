"""Answers about actions, scores and batches."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from scoreboard.api.shapes.parts import Id, Moment, No, Points, Rank, Seconds, Shape, Token, Yes


class Action(Shape):
    """A kind of action, and what it is worth."""

    action_type: Annotated[str, Meta(examples=["WIN_GAME"])]
    points: Points
    description: str | None


class Catalogue(Shape):
    """All kinds of actions."""

    actions: list[Action]


class Proven(Shape):
    """The token for an action that was proven."""

    action_token: Token
    expires_in: Seconds
    score_increment: Points


class Updated(Shape):
    """A score that is on disk; ranks are null where the board could not be asked."""

    user_id: Id
    new_score: Points
    score_increment: Points
    rank: Rank | None
    previous_rank: Rank | None
    timestamp: Moment


class RowCounted(Shape):
    """A row that counts; ranks are null where they are not known."""

    action_id: str
    user_id: Id
    success: Yes
    new_score: Points
    previous_rank: Rank | None
    new_rank: Rank | None
    repeated: bool


class RowFault(Shape):
    """Why a row does not count."""

    code: str
    message: str


class RowRefused(Shape):
    """A row that does not count."""

    action_id: str | None
    user_id: str | None
    success: No
    error: RowFault


_ROWS = {"items": {"oneOf": [{"$ref": f"#/components/schemas/{each.__name__}"} for each in (RowCounted, RowRefused)]}}


class BatchResults(Shape):
    """What became of each row, in their order."""

    results: Annotated[list[dict[str, Any]], Meta(extra_json_schema=_ROWS)]
    counted: int
    repeated: int
    refused: int
    timestamp: Moment
