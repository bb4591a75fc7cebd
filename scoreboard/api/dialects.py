"""Errors in the shape of the document that an address belongs to: ``/api/v1`` speaks document B, all else A."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from scoreboard.api.answer import Answer, Headers, json_answer
from scoreboard.api.errors import ApiError
from scoreboard.wire import request_id
from scoreboard.wire.browsers import GUARDED
from scoreboard.wire.times import iso

V1 = "/api/v1"

#: What document B calls what document A or we call otherwise. Where B's word is the wider one, `details` say which.
CODES_OF_B = {
    "RATE_LIMITED": "RATE_LIMIT_EXCEEDED",
    "ACCESS_TOKEN_EXPIRED": "TOKEN_EXPIRED",
    "ACCESS_TOKEN_INVALID": "UNAUTHORIZED",
    "ACCESS_TOKEN_REVOKED": "UNAUTHORIZED",
    "USER_BANNED": "FORBIDDEN",
}
NARROWER = frozenset({"ACCESS_TOKEN_REVOKED", "USER_BANNED"})
#: What the door refuses for more than one reason.
AT_THE_DOOR = {400: "INVALID_INPUT"}
DATABASE_ERROR = (500, "DATABASE_ERROR")


def speaks_b(path: str) -> bool:
    """Whether an address is document B's."""
    return path.startswith(V1) and path[len(V1) : len(V1) + 1] in ("", "/")


def succeeded(data: Any, message: str | None = None, *, status: int = 200, headers: Headers = ()) -> Answer:
    """An answer in document B's envelope."""
    told = {"success": True, "data": data} if message is None else {"success": True, "data": data, "message": message}
    return json_answer(told, status=status, headers=headers)


def door_words(now_us: Callable[[], int], constant: Headers = ()) -> Callable[[bytes, int, str], tuple[Headers, bytes]]:
    """What the door says in place of a route: an error of the document that the target belongs to.

    `constant` are headers that every answer has.
    """

    def words(target: bytes, status: int, sentence: str) -> tuple[Headers, bytes]:
        path, name = target.partition(b"?")[0].decode("latin1"), request_id.chosen_or_fresh(())
        named: Headers = ((request_id.HEADER, name.encode("ascii")),)
        phrase = HTTPStatus(status).phrase
        code = AT_THE_DOOR.get(status, phrase.upper().replace(" ", "_"))
        answer = error_answer(ApiError(status, phrase, code, sentence), path, name, now_us())
        return (*named, *answer.headers, *GUARDED, *constant), answer.body

    return words


def error_answer(error: ApiError, path: str, name: str, now_us: int) -> Answer:
    """The error as who asked for `path` expects it; `name` is the request's id."""
    if not speaks_b(path):
        return error.answer()
    status, code = DATABASE_ERROR if error.of_store else (error.status, CODES_OF_B.get(error.code, error.code))
    details = {"reason": error.code} if error.code in NARROWER else error.details
    told: dict[str, Any] = {"code": code, "message": str(error)}
    if error.retry_after is not None:
        told["retryAfter"] = error.retry_after
    if details:
        told["details"] = details
    told |= {"timestamp": iso(now_us), "requestId": name}
    return json_answer({"success": False, "error": told}, status=status, headers=error.all_headers)
