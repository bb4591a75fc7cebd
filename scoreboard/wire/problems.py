"""What a client is told when an actor does not do as asked: one code and sentence for both transports."""

from __future__ import annotations

import math
from dataclasses import dataclass

from actors.runtime import ActorCrashed, ActorError, ActorStopped, AskTimeout, MailboxFull, Refusal, TooManyActors
from scoreboard.security.errors import TokenRefused

UNAVAILABLE = "SERVICE_UNAVAILABLE"
_NOT_DONE = "The server is too busy just now. Nothing was done; try again in a moment."
_PERHAPS_DONE = "The server did not answer in time. It may have been done or not: ask the same again in a moment."


@dataclass(frozen=True, slots=True)
class Problem:
    """`code` is for programs, `message` for the person, and before `retry_after_s` it makes no sense to ask again."""

    code: str
    message: str
    retry_after_s: float | None = None

    @property
    def retry_after(self) -> int | None:
        """The wait in whole seconds, rounded up."""
        return None if self.retry_after_s is None else max(1, math.ceil(self.retry_after_s))


def problem_of(error: ActorError | TokenRefused) -> Problem | None:
    """What to say of it, or None of an error that nobody expected."""
    match error:
        case Refusal():
            return Problem(error.code, str(error), getattr(error, "retry_after_s", None))
        case TokenRefused():
            return Problem(error.code, f"{error}.")
        case MailboxFull() | TooManyActors():
            return Problem(UNAVAILABLE, _NOT_DONE, 1.0)
        case AskTimeout():  # what timed out may still be worked on
            return Problem(UNAVAILABLE, _PERHAPS_DONE, 1.0)
        case ActorStopped() | ActorCrashed():
            return Problem(UNAVAILABLE, _PERHAPS_DONE if error.begun else _NOT_DONE, 1.0)
    return None
