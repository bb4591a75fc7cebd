"""A question for which no task waits: its outcome is told to a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from actors.runtime.request import Question, Request

R = TypeVar("R")


class Promise(Request, Generic[R]):
    """An answer to come. `settled` is called once, in the task of who answers; it must neither wait nor raise.

    Who decides at once answers before the promise is in the hands of who asks: then it is not `open` any more.

    A task that would only wait and then pass on what it heard costs two switches for every question; this costs none.
    In exchange nobody watches the deadline but who made the promise: see `withdraw`.
    """

    __slots__ = ("_tell",)

    def __init__(self, message: Question[R], deadline: float, settled: Callable[[Promise[R]], None]) -> None:
        super().__init__(message, deadline=deadline, asked=True)
        self._tell = settled

    @property
    def outcome(self) -> R | Exception:
        """The answer, or the `ActorError` that came in its place; of meaning once it is settled."""
        outcome: R | Exception = self._value if self._error is None else self._error
        return outcome

    def withdraw(self) -> None:
        """Nobody waits any more: what has not been begun never will be, and `settled` will not be called."""
        self._asker_waits = False

    async def wait(self) -> Any:
        """Not of a promise: the outcome goes to its function."""
        raise NotImplementedError

    def _settle(self) -> None:
        super()._settle()
        self._tell(self)
