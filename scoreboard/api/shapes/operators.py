"""Answers for operators."""

from __future__ import annotations

from typing import Any, Literal

from scoreboard.api.shapes.parts import Shape


class Health(Shape):
    """The process lives."""

    status: Literal["ok"]


class Readiness(Shape):
    """What each part says."""

    status: str
    parts: dict[str, str]


class NotReady(Shape):
    """Which part is missing."""

    error: str
    message: str
    code: Literal["NOT_READY"]
    status: str
    parts: dict[str, str]


class KeySet(Shape):
    """Public keys of access tokens: RFC 7517."""

    keys: list[dict[str, Any]]
