"""A message on its way: with its deadline, and with the place where its answer will be put."""

from __future__ import annotations

import math
from contextvars import ContextVar
from typing import Any, Generic, TypeVar

import trio

from actors.runtime.errors import AskTimeout

R = TypeVar("R")

#: The deadline of the message that the current task is working on; what it asks of others cannot outlast it.
_current_deadline: ContextVar[float] = ContextVar("actors_current_deadline", default=math.inf)


class Question(Generic[R]):
    """Base of messages that are answered with an `R`, so that a type checker knows what `ask` returns."""

    __slots__ = ()


def current_deadline() -> float:
    """The time on Trio's clock by which the work under way must be answered; infinite outside of an `ask`."""
    return _current_deadline.get()


def set_current_deadline(deadline: float) -> None:
    """Called by the cell before it hands a message to its actor, and before each hook."""
    _current_deadline.set(deadline)


def deadline_of(message: object, within: float) -> float:
    """By when a question asked now must be answered; raises ValueError where there would be no end at all."""
    deadline = min(trio.current_time() + within, _current_deadline.get())
    if not deadline < math.inf:
        raise ValueError(f"to ask {type(message).__name__} needs a bound in seconds, not within={within}")
    return deadline


class Request:
    """One message in a mailbox. A `tell` has no asker; an asker may go away before the answer comes."""

    __slots__ = ("_asker_waits", "_error", "_settled", "_task", "_value", "asked", "deadline", "message")

    def __init__(self, message: Any, *, deadline: float = math.inf, asked: bool = False) -> None:
        self.message = message
        self.deadline = deadline
        self.asked = asked
        self._asker_waits = asked
        self._settled = False
        self._value: Any = None
        self._error: Exception | None = None
        self._task: trio.lowlevel.Task | None = None

    @classmethod
    def question(cls, message: Any, within: float) -> Request:
        """A request whose asker waits `within` seconds, or for what is left of the deadline of the message in hand.

        Raises:
            ValueError: that is no end at all; every wait has a bound.
        """
        return cls(message, deadline=deadline_of(message, within), asked=True)

    def __repr__(self) -> str:
        kind = ("ask, open" if self.open else "ask, closed") if self.asked else "tell"
        return f"<Request {self.message!r} ({kind})>"

    @property
    def open(self) -> bool:
        """True while an asker waits for the answer."""
        return self._asker_waits and not self._settled

    def expired(self, now: float) -> bool:
        """True for an `ask` that nobody waits for any more, so that it need not be begun."""
        return self.asked and (not self.open or now >= self.deadline)

    def answer(self, value: Any) -> None:
        """Release the asker with a value. Without an asker, or a second time, nothing happens."""
        if self._asker_waits and not self._settled:
            self._value = value
            self._settle()

    def fail(self, error: Exception) -> None:
        """Release the asker with an error; each asker needs an instance of its own."""
        if self._asker_waits and not self._settled:
            self._error = error
            self._settle()

    def _settle(self) -> None:
        self._settled = True
        if self._task is not None:
            trio.lowlevel.reschedule(self._task)
            self._task = None

    async def wait(self) -> Any:
        """Wait for the answer until the deadline.

        Raises:
            AskTimeout: the deadline passed; what was not begun will not be.
        """
        try:
            await self._park()
        finally:
            self._asker_waits = False
        if not self._settled:
            raise AskTimeout(f"no answer in time to {type(self.message).__name__}")
        if self._error is None:
            return self._value
        error, self._error = self._error, None
        try:
            raise error
        finally:
            del error  # its traceback holds this frame: without this the two would keep each other alive

    async def _park(self) -> None:
        if self._settled:  # by who decides at once: then there is nothing to wait for, and no deadline to watch
            await trio.lowlevel.checkpoint()
            return
        with trio.CancelScope(deadline=self.deadline):
            self._task = trio.lowlevel.current_task()
            await trio.lowlevel.wait_task_rescheduled(self._abort)

    def _abort(self, _raise_cancel: object) -> trio.lowlevel.Abort:
        self._task = None
        return trio.lowlevel.Abort.SUCCEEDED
