"""What the shapes of answers are made of, the errors of both documents, and document B's envelope."""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, TypeVar

from msgspec import UNSET, Meta, Struct, UnsetType

T = TypeVar("T")

Id = Annotated[str, Meta(examples=["9f3c1d2e-4b5a-4c6d-8e7f-0a1b2c3d4e5f"])]
Name = Annotated[str, Meta(examples=["Ada"])]
Token = Annotated[str, Meta(examples=["eyJhbGciOi…"])]
Seconds = Annotated[int, Meta(ge=0, description="Seconds", examples=[300])]
Moment = Annotated[str, Meta(description="ISO 8601 in UTC", examples=["2026-01-31T12:00:00.000Z"])]
Rank = Annotated[int, Meta(ge=1, examples=[4])]
Points = Annotated[int, Meta(ge=0, examples=[120])]
Percent = Annotated[float, Meta(ge=0, le=100, description="The share of players who stand no higher")]
Period = Literal["ALL_TIME", "DAILY", "WEEKLY", "MONTHLY"]
Yes = Annotated[bool, Meta(extra_json_schema={"const": True})]
No = Annotated[bool, Meta(extra_json_schema={"const": False})]


class Shape(Struct, forbid_unknown_fields=True, rename="camel"):
    """What an answer is made of."""


class ErrorOfA(Shape):
    """An error under /api."""

    error: str
    message: str
    code: str
    retry_after: Annotated[int, Meta(ge=1, description="Seconds")] | UnsetType = UNSET


class FaultOfB(Shape):
    """What is wrong; `details` say more to programs where there is more to say."""

    code: str
    message: str
    timestamp: Moment
    request_id: str
    retry_after: Annotated[int, Meta(ge=1, description="Seconds")] | UnsetType = UNSET
    details: dict[str, Any] | UnsetType = UNSET


class ErrorOfB(Shape):
    """An error under /api/v1."""

    success: No
    error: FaultOfB


class Enveloped(Shape, Generic[T]):
    """An answer under /api/v1."""

    success: Yes
    data: T
    message: str | UnsetType = UNSET
