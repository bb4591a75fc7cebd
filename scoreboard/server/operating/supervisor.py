"""Keeps a whole server running where nothing else does: it is started again by the rules by which actors are."""

from __future__ import annotations

import random
import signal
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

import trio

from actors.runtime import GaveUp, RestartHistory, RestartPolicy
from scoreboard.observe.logs import Logger
from scoreboard.server.crew.process import in_words

#: What no new start mends: an argument or a setting is wrong.
HOPELESS = 2


@dataclass(frozen=True, slots=True)
class Watchfulness:
    """Bounds of a supervisor, in seconds.

    Attributes:
        restarts: how often the server may fail, and the pauses.
        look_s: from one look whether it answers to the next.
        answer_s: for an answer.
        silent_s: one that has answered before and does not for so long is killed.
        stop_s: for the server to end when it is told to.
    """

    restarts: RestartPolicy = field(default_factory=RestartPolicy)
    look_s: float = 2.0
    answer_s: float = 5.0
    silent_s: float = 30.0
    stop_s: float = 12.0


class Child(Protocol):
    """A server that was started."""

    async def ended(self) -> int:
        """Wait for its end; its status, or the number of the signal that ended it, negative."""
        ...

    def tell(self, number: signal.Signals) -> None:
        """Send it a signal, if it is still there."""
        ...


class ServerFailed(Exception):
    """The server ended otherwise than in good order; says how."""


class Supervisor:
    """Runs one server, and the next one when it fails.

    Args:
        start: Starts it.
        answers: Whether it answers at its port; raises nothing.
        log: Says what happens.
    """

    def __init__(
        self,
        start: Callable[[], Child],
        answers: Callable[[], Awaitable[bool]],
        log: Logger,
        *,
        rules: Watchfulness | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self._start = start
        self._answers = answers
        self._log = log
        self._rules = rules or Watchfulness()
        self._rng = rng or random.SystemRandom()
        self._child: Child | None = None
        self._told = trio.Event()

    async def run(self, signals: AsyncIterator[int]) -> int:
        """Until it is told to end, ends by itself, or fails too often; the status with which to end."""
        status = 0
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._obey, signals)
            status = await self._keep()
            nursery.cancel_scope.cancel()
        return status

    async def _keep(self) -> int:
        history = RestartHistory("the server", self._rules.restarts, self._rng)
        while True:
            try:
                status = await self._run_once()
            except OSError as error:
                failed = ServerFailed(f"it could not be started: {error}")
            else:
                if self._told.is_set() or status in (0, HOPELESS):
                    return status if status >= 0 else 1
                failed = ServerFailed(f"it ended with {in_words(status)}")
            try:
                pause_s = history.after(failed, trio.current_time())
            except GaveUp as error:
                self._log.error("server_given_up", reason=f"{error}, the last time {failed}")
                return 1
            self._log.error("server_failed", reason=str(failed), again_in_s=round(pause_s, 2))
            with trio.move_on_after(pause_s):
                await self._told.wait()
                return 0

    async def _run_once(self) -> int:
        child = self._child = self._start()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._watch, child)
            status = await child.ended()
            nursery.cancel_scope.cancel()
        self._child = None
        return status

    async def _watch(self, child: Child) -> None:
        """One that has answered, and does not any more, is of no use."""
        heard = None
        while heard is None or trio.current_time() - heard < self._rules.silent_s:
            await trio.sleep(self._rules.look_s)
            with trio.move_on_after(self._rules.answer_s):
                if await self._answers():
                    heard = trio.current_time()
        self._log.error("server_hangs", silent_s=self._rules.silent_s)
        await self._end(child)

    async def _obey(self, signals: AsyncIterator[int]) -> None:
        """Handed on; the second time the server hurries by itself."""
        async for number in signals:
            self._log.info("told_to_stop", signal=signal.Signals(number).name)
            self._told.set()
            if self._child is not None:
                self._child.tell(signal.Signals(number))

    async def _end(self, child: Child) -> None:
        child.tell(signal.SIGTERM)
        await trio.sleep(self._rules.stop_s)
        child.tell(signal.SIGKILL)


async def answers_at(host: str, port: int, context: ssl.SSLContext | None) -> bool:
    """Whether /health is answered there, be it with a refusal: whoever says that it is full lives."""
    try:
        stream: trio.abc.Stream = await trio.open_tcp_stream(reachable(host), port)
        if context is not None:
            stream = trio.SSLStream(stream, context, server_hostname=host)
        async with stream:
            await stream.send_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return bytes(await stream.receive_some(16)).startswith(b"HTTP/1.1 ")
    except (OSError, trio.BrokenResourceError):
        return False


def reachable(host: str) -> str:
    """Where one who listens on all addresses is to be found."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - nobody listens here


def unverified() -> ssl.SSLContext:
    """It is our own server, on this machine, under whatever name it has."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
