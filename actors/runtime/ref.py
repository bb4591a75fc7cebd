"""The only thing that others hold of an actor: a way to send to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from actors.runtime.promise import Promise
from actors.runtime.request import Question, Request

R = TypeVar("R")


class Ref:
    """Sends messages to one actor, whichever incarnation serves it. Cheap; may be kept."""

    __slots__ = ("_deliver", "name")

    def __init__(self, name: str, deliver: Callable[[Request], None]) -> None:
        self.name = name
        self._deliver = deliver

    def __repr__(self) -> str:
        return f"<Ref {self.name}>"

    def tell(self, message: Any) -> None:
        """Send without waiting and without an answer.

        Raises:
            MailboxFull: not taken; slow down.
            ActorStopped: not taken; the actor has ended.
        """
        self._deliver(Request(message))

    def forward(self, request: Request, message: Any) -> None:
        """Let this actor answer a request in the place of the one that has it in hand, within the same deadline.

        `message` is what this actor is told instead. Raises as `tell`; the request is then still in hand.
        """
        told, request.message = request.message, message
        try:
            self._deliver(request)
        except BaseException:
            request.message = told
            raise

    def promise(self, message: Question[R], *, deadline: float, settled: Callable[[Promise[R]], None]) -> Promise[R]:
        """Ask without waiting, until `deadline` on Trio's clock, which who asks watches; see `Promise`.

        Raises:
            MailboxFull, ActorStopped: not taken; `settled` will not be called.
        """
        promised = Promise(message, deadline, settled)
        self._deliver(promised)
        return promised

    async def ask(self, message: Question[R], *, within: float) -> R:
        """Send and wait for the answer, `within` seconds or what is left of the deadline of the message in hand.

        Raises:
            Refusal: the actor's No, of the actor's own subclass.
            MailboxFull, TooManyActors: not taken.
            ActorStopped, ActorCrashed: the actor has ended, or failed; see their `begun`.
            AskTimeout: no answer in time.
            ValueError: `within` is no bound, and there is no deadline to inherit.
        """
        request = Request.question(message, within)
        self._deliver(request)
        answer: R = await request.wait()
        return answer
