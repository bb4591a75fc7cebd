"""Errors in the shape of the document that an address belongs to: ``/api/v1`` speaks document B, all else A."""

from __future__ import annotations

from typing import Any

from scoreboard.api.answer import Answer, json_answer
from scoreboard.api.errors import ApiError
from scoreboard.wire.times import iso

V1 = "/api/v1/"

#: What document B calls what document A or we call otherwise.
CODES_OF_B = {
    "RATE_LIMITED": "RATE_LIMIT_EXCEEDED",
    "ACCESS_TOKEN_EXPIRED": "TOKEN_EXPIRED",
    "ACCESS_TOKEN_INVALID": "UNAUTHORIZED",
    "ACCESS_TOKEN_REVOKED": "UNAUTHORIZED",
}


def error_answer(error: ApiError, path: str, request_id: str, now_us: int) -> Answer:
    """The error as who asked for `path` expects it."""
    if not path.startswith(V1):
        return error.answer()
    told: dict[str, Any] = {"code": CODES_OF_B.get(error.code, error.code), "message": str(error)}
    if error.retry_after is not None:
        told["retryAfter"] = error.retry_after
    told |= {"timestamp": iso(now_us), "requestId": request_id}
    return json_answer({"success": False, "error": told}, status=error.status, headers=error.all_headers)
