"""What can happen to a message instead of an answer. Each error says whether the work may have been begun."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class ActorError(Exception):
    """Root of everything that the runtime raises."""


class Refusal(ActorError):
    """An actor's considered No: nothing has happened, and the actor lives on.

    `code` is for programs, the text for people. Raise it alone: inside an ExceptionGroup it counts as a failure.
    """

    code: ClassVar[str] = "REFUSED"


class MailboxFull(ActorError):
    """The mailbox is at its bound; the message was not taken. The sender is too fast: slow down and try again."""


class TooManyActors(ActorError):
    """The directory holds as many live actors as it may; the message was not taken. Try again later."""


class AskTimeout(ActorError):
    """No answer within the deadline. If the work had not been begun it never will be; if it had, it goes on."""


class ActorStopped(ActorError):
    """The actor has stopped or is stopping. Unless `begun`, the message was not looked at and may be sent elsewhere."""

    def __init__(self, text: str, *, begun: bool = False) -> None:
        super().__init__(text)
        self.begun = begun


class ActorCrashed(ActorError):
    """The incarnation failed. `begun` says whether it was at this very message, `__cause__` holds the failure."""

    def __init__(self, name: str, *, begun: bool) -> None:
        super().__init__(f"{name} failed {'at' if begun else 'before'} this message")
        self.begun = begun


class GaveUp(ExceptionGroup[Exception]):
    """Too many failures in too short a time; holds every one of them, oldest first. The level above must decide.

    It is a group itself: Python lets `except` name it, and `ExceptionGroup.split`, but not `except*`.
    """

    def derive(self, excs: Sequence[Exception]) -> GaveUp:  # type: ignore[override]  # holds exceptions only
        """A part of it is still a GaveUp."""
        return GaveUp(self.message, excs)
