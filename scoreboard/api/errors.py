"""Everything that can be answered instead of what was asked for, in one table, in document A's shape."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from actors.runtime import ActorError
from scoreboard.api.answer import Answer, Headers, json_answer
from scoreboard.security.errors import HashingBusy, NameRefused, PasswordRefused, TokenRefused, WrongKind
from scoreboard.wire.problems import UNAVAILABLE, problem_of

CHALLENGE = 'Bearer realm="scoreboard"'


class ApiError(Exception):
    """An answer that is an error. `str()` is the sentence for the person, `code` is for programs.

    `details` say more to programs where there is more to say; document A has no place for them. `of_store`: the
    database could not be asked, which document B calls by a name of its own.
    """

    def __init__(  # noqa: PLR0913 - named, but for the first four
        self,
        status: int,
        title: str,
        code: str,
        message: str,
        *,
        retry_after_s: float | None = None,
        headers: Headers = (),
        details: Mapping[str, Any] | None = None,
        of_store: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.title = title
        self.code = code
        self.retry_after_s = retry_after_s
        self.headers = headers
        self.details = details
        self.of_store = of_store

    def answer(self) -> Answer:
        """The error in document A's shape. Waits are told in whole seconds, rounded up."""
        body: dict[str, Any] = {"error": self.title, "message": str(self), "code": self.code}
        if self.retry_after is not None:
            body["retryAfter"] = self.retry_after
        return json_answer(body, status=self.status, headers=self.all_headers)

    @property
    def retry_after(self) -> int | None:
        """The wait in whole seconds, rounded up."""
        return None if self.retry_after_s is None else max(1, math.ceil(self.retry_after_s))

    @property
    def all_headers(self) -> Headers:
        """With the wait, if there is one."""
        wait = self.retry_after
        return self.headers if wait is None else (*self.headers, (b"retry-after", b"%d" % wait))


def invalid_input(message: str, *, field: str | None = None) -> ApiError:
    """The request is not well formed; the sentence says where and what, `field` which of its fields."""
    details = None if field is None else {"field": field}
    return ApiError(400, "Invalid input", "INVALID_INPUT", message, details=details)


def no_timestamp() -> ApiError:
    """What was to be a time is none."""
    return invalid_input("The timestamp must be ISO 8601 with its zone, like 2026-01-31T12:00:00Z.", field="timestamp")


def forbidden(message: str, *, reason: str) -> ApiError:
    """Who asks is known, and may not."""
    return ApiError(403, "Forbidden", "FORBIDDEN", message, details={"reason": reason})


def no_such_user() -> ApiError:
    """There is no such player, or none that may be seen."""
    return ApiError(404, "Not found", "USER_NOT_FOUND", "There is no such player.")


def banned() -> ApiError:
    """The account exists, and may do nothing."""
    return ApiError(403, "Forbidden", "USER_BANNED", "This account is banned.")


def store_away() -> ApiError:
    """The database does not answer; nothing was done."""
    message = "The server cannot reach its database just now. Nothing was done; try again in a moment."
    return ApiError(503, "Service unavailable", UNAVAILABLE, message, retry_after_s=1.0, of_store=True)


def unsupported(message: str) -> ApiError:
    """The body is of a type that is not read here."""
    return ApiError(415, "Unsupported media type", "UNSUPPORTED_MEDIA_TYPE", message)


def too_large(most_bytes: int) -> ApiError:
    """More body than is ever needed. The rest is not read, so the connection cannot go on."""
    message = f"The body must not have more than {most_bytes} bytes."
    return ApiError(413, "Content too large", "CONTENT_TOO_LARGE", message, headers=((b"connection", b"close"),))


def too_slow() -> ApiError:
    """The body did not arrive in time."""
    message = "The body of the request did not arrive in time."
    return ApiError(408, "Request timeout", "REQUEST_TIMEOUT", message, headers=((b"connection", b"close"),))


def not_found() -> ApiError:
    """No route has this path."""
    return ApiError(404, "Not found", "NOT_FOUND", "There is nothing at this address.")


def method_not_allowed(allowed: str) -> ApiError:
    """There is a route, but not with this method."""
    message = f"This address understands {allowed} only."
    headers = ((b"allow", allowed.encode("ascii")),)
    return ApiError(405, "Method not allowed", "METHOD_NOT_ALLOWED", message, headers=headers)


def unauthorized(code: str, message: str, *, failure: str | None = None) -> ApiError:
    """Who asks must prove who they are. `failure` is what RFC 6750 says about a token that was refused."""
    challenge = CHALLENGE if failure is None else f'{CHALLENGE}, error="{failure}", error_description="{message}"'
    headers = ((b"www-authenticate", challenge.encode("ascii")),)
    return ApiError(401, "Unauthorized", code, message, headers=headers)


def unexpected(request_id: str) -> ApiError:
    """It is our fault. What went wrong stands in the log under the request's id."""
    message = f"Something went wrong on our side. Please report it with the request id {request_id}."
    return ApiError(500, "Internal server error", "INTERNAL_ERROR", message)


#: What actors refuse, by code: status and title.
REFUSALS = {
    "TOKEN_EXPIRED": (400, "Invalid token"),
    "TOKEN_ALREADY_USED": (400, "Invalid token"),
    "TOKEN_INVALID": (400, "Invalid token"),
    "CAPTCHA_REQUIRED": (403, "Forbidden"),
    "RATE_LIMITED": (429, "Rate limit exceeded"),
    "IDEMPOTENCY_KEY_REUSED": (422, "Idempotency key reused"),
    "USER_BANNED": (403, "Forbidden"),
    "USER_NOT_FOUND": (404, "Not found"),
    "SERVICE_UNAVAILABLE": (503, "Service unavailable"),
    "INVALID_INPUT": (400, "Invalid input"),
    "INVALID_ACTION_TOKEN": (403, "Invalid token"),
    "FORBIDDEN": (403, "Forbidden"),
    "ACTION_NOT_FOUND": (404, "Not found"),
    "ACTION_ALREADY_COMPLETED": (409, "Conflict"),
}


def _of_actor(error: ActorError) -> ApiError | None:
    problem = problem_of(error)
    if problem is None or problem.code not in REFUSALS:
        return None
    status, title = REFUSALS[problem.code]
    return ApiError(
        status,
        title,
        problem.code,
        problem.message,
        retry_after_s=problem.retry_after_s,
        details=getattr(error, "details", None),
        of_store=any(getattr(each, "of_store", False) for each in (error, error.__cause__)),
    )


def _of_wrong_kind(error: WrongKind) -> ApiError:
    return ApiError(403, "Forbidden", error.code, f"{error}.")


def _of_access_token(error: TokenRefused) -> ApiError:
    return unauthorized(error.code, f"{error}.", failure="invalid_token")


def _of_broken_rule(error: Exception) -> ApiError:
    return invalid_input(f"{error}.")


def _of_hashing(error: HashingBusy) -> ApiError:
    status, title = REFUSALS[UNAVAILABLE]
    return ApiError(status, title, UNAVAILABLE, f"{error}.", retry_after_s=error.retry_after_s)


#: What else may be raised: the first line that fits says what is answered.
TABLE: tuple[tuple[type[Exception], Callable[[Any], ApiError | None]], ...] = (
    (ApiError, lambda error: error),
    (ActorError, _of_actor),
    (WrongKind, _of_wrong_kind),
    (TokenRefused, _of_access_token),
    (HashingBusy, _of_hashing),
    (NameRefused, _of_broken_rule),
    (PasswordRefused, _of_broken_rule),
)


def known(error: Exception) -> ApiError | None:
    """What to answer for an error, or None if nobody expected it."""
    for kind, translate in TABLE:
        if isinstance(error, kind):
            return translate(error)
    return None
