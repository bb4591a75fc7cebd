"""What a behaviour looks like to the runtime. An instance is one incarnation: it is thrown away when it fails."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from actors.runtime.request import Request


class Behaviour:
    """What both kinds of actor share: hooks around a life, and one alarm clock.

    Set `wake_at` (on Trio's clock) and `woken` is called at that time, between two messages.
    """

    wake_at: float = math.inf

    async def started(self) -> None:
        """Called before the first message; load state here. A failure counts as a crash."""

    async def stopped(self) -> None:
        """Called after the last message of a life that did not fail; save state here, and answer what is still open.

        It is cut off after a bound. Whoever has no answer then is released.
        """

    async def woken(self) -> None:
        """Called at `wake_at`, which has been reset to infinity before."""

    def may_passivate(self) -> bool:
        """False keeps an idle actor alive for another round."""
        return True


class Actor(Behaviour):
    """An actor that works on one message at a time."""

    async def receive(self, message: Any) -> Any:
        """Work on one message; what is returned is the answer to an `ask`.

        Raise a `Refusal` to say No and live on. Any other exception ends this incarnation, also one that a nested
        `ask` raised and that was not caught here (AskTimeout, MailboxFull, ...).
        """
        raise NotImplementedError


class PromptActor(Behaviour):
    """An actor that decides at once and never waits, so that it needs no turn of its own task for it.

    While nothing else is under way it decides in the task of who sends: a message costs no switch. One at a time and in
    order all the same; what fails ends the incarnation and not the sender.
    """

    def decide(self, request: Request) -> None:
        """Work on one message and settle it by `answer` or `fail`, now or in a later call.

        It may run in anybody's task, so whatever is asked of others on its behalf is promised, with the deadline of the
        request. Raise a `Refusal` to say No and live on. What is unsettled when this incarnation ends is released by
        the runtime; any other exception ends it.
        """
        raise NotImplementedError


class BatchActor(Behaviour):
    """An actor that takes everything that waits at once, up to `max_batch` messages."""

    max_batch: int = 1000

    #: How many messages wait behind the batch in hand, asked at any time; the cell puts its own count here.
    backlog: Callable[[], int] = staticmethod(lambda: 0)

    async def receive_batch(self, requests: Sequence[Request]) -> None:
        """Work on a batch and settle each request by `answer` or `fail`, now or in a later call.

        What is unsettled when this incarnation ends is released by the runtime. An exception ends the incarnation.
        """
        raise NotImplementedError


AnyActor = Actor | BatchActor | PromptActor
