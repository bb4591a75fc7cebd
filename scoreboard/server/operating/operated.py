"""What one process that serves does for its operator, asked by its parent or, without one, at its own desk."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Protocol

import msgspec
import trio

from actors.ports import StoreError
from actors.runtime import ActorError
from scoreboard.observe.lag import MARK_EVERY_S
from scoreboard.observe.logs import Logger
from scoreboard.server.crew.neighbours import DRAIN, METRICS, REBUILD, STATUS, WARN, Answer
from scoreboard.server.operating.desk import Desk, Line, Say, Tell, end
from scoreboard.server.operating.farewell import NEXT_ONE_S, Farewell, bounded
from scoreboard.server.operating.report import Reporter

#: What may keep boards or Redis from being filled anew.
FAILURES = (StoreError, ActorError, trio.TooSlowError)
WITH_REDIS = "redis"

SendHome = Callable[[float, Callable[[], float]], Awaitable[None]]


class Door(Protocol):
    """What is needed of the door."""

    @property
    def is_leaving(self) -> bool:
        """Whether nobody new is let in."""
        ...

    def leave(self) -> None:
        """Let nobody new in."""
        ...


class Operated:
    """Serves while it is `running`.

    Args:
        reporter: Tells how this process is.
        door: Closed to newcomers when it drains.
        send_home: Closes what live clients have open, over so many seconds, each to come back after so many.
        rebuild: Reads boards anew, and if it is told so fills Redis; a sentence of what was done. Raises its failures.
        warn: Called when it is going to end: it is not ready for anybody from then on.
        log: Says what happens.
        rng: Spreads when clients come back.
    """

    def __init__(
        self,
        reporter: Reporter,
        door: Door,
        send_home: SendHome,
        rebuild: Callable[[bool], Awaitable[str]],
        warn: Callable[[], None],
        log: Logger,
        rng: random.Random,
    ) -> None:
        self._reporter = reporter
        self._door = door
        self._send_home = send_home
        self.rebuild = rebuild
        self.warn = warn
        self._log = log
        self._rng = rng
        self._nursery: trio.Nursery | None = None

    def __repr__(self) -> str:
        return f"<Operated, {'draining' if self._door.is_leaving else 'serving'}>"

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Look after what is told while the body runs."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            nursery.start_soon(self._mark)
            yield
            self._nursery = None
            nursery.cancel_scope.cancel()

    async def _mark(self) -> None:
        while True:
            await trio.sleep(MARK_EVERY_S)
            self._reporter.lag.mark()

    def report(self) -> dict[str, Any]:
        """How it is; see `Reporter`."""
        return self._reporter.report()

    async def looked(self) -> dict[str, Any]:
        """The same, with a look at the stores; see `Reporter`."""
        return await self._reporter.looked()

    async def drain(self, farewell: Farewell) -> None:
        """Let nobody new in, finish what was begun, see live clients off in waves; then tell this process to stop."""
        if self._door.is_leaving:
            return
        told = self.report()
        self._log.info("draining", connections=told["connections"], live=told["live"], over_s=farewell.over_s)
        self._door.leave()
        await self._send_home(farewell.over_s, partial(farewell.back_after_s, self._rng))
        os.kill(os.getpid(), signal.SIGTERM)

    # --- with a parent ---

    @property
    def answers(self) -> Mapping[str, Answer]:
        """To what its parent, or another worker, asks."""
        known = {
            METRICS: self._metrics,
            STATUS: self._status,
            WARN: self._warn,
            DRAIN: self._begin_to_drain,
            REBUILD: self._rebuild,
        }
        return {word: partial(self._guarded, answer) for word, answer in known.items()}

    async def _guarded(self, answer: Answer, words: str) -> bytes:
        """A question ends no worker; who asked hears nothing, and takes it to be silent."""
        try:
            return await answer(words)
        except Exception as error:  # noqa: BLE001 - see above
            self._log.error("not_answered", exc_info=error)
            return b""

    async def _metrics(self, _: str) -> bytes:
        return self._reporter.metrics.render()

    async def _status(self, _: str) -> bytes:
        return msgspec.json.encode(await self.looked())

    async def _warn(self, _: str) -> bytes:
        self.warn()
        return b"ok"

    async def _rebuild(self, words: str) -> bytes:
        try:
            return f"ok {await self.rebuild(words == WITH_REDIS)}".encode()
        except FAILURES as error:
            return f"no {str(error) or repr(error)}".encode()

    async def _begin_to_drain(self, words: str) -> bytes:
        try:
            farewell = Farewell.read(words)
        except ValueError:
            return b"no"
        if self._nursery is None:
            return b"no"
        self._nursery.start_soon(self.drain, farewell)
        return b"ok"


class Alone:
    """The answers of a process that has no parent.

    Args:
        operated: What it does.
        desk: Where it is asked.
        whole: Where the server is to be found, and what it keeps.
    """

    def __init__(self, operated: Operated, desk: Desk, whole: Mapping[str, Any]) -> None:
        self._operated = operated
        self._desk = desk
        self._whole = whole
        desk.answers = {
            "status": self._status,
            "drain": self._drain,
            "reload": self._no_reload,
            "rebuild": self._rebuild,
        }

    async def _status(self, _: Line, say: Say) -> None:
        told = await self._operated.looked()
        worker = {"worker": 0, "restarts": 0, "failures": 0, "last": None, **told}
        same = {name: told[name] for name in ("pid", "version", "up_s")}
        await say(end(0, **self._whole, **same, wanted=1, workers=[worker], under_way=self._desk.under_way))

    async def _drain(self, asked: Line, say: Say) -> None:
        if asked.get("worker"):
            await say(end(1, says="this server has one worker, and no number for it: scoreboard drain ends it"))
        else:
            await self._desk.undertake(asked, say, partial(self._drain_all, asked))

    async def _drain_all(self, asked: Line, tell: Tell) -> int:
        farewell, notice_s = Farewell.asked(asked, NEXT_ONE_S), bounded(float(asked.get("notice_s", 0)))
        told = self._operated.report()
        tell({"pid": told["pid"], "says": f"{told['connections']} connections, {told['live']} of them live"})
        self._operated.warn()
        await trio.sleep(notice_s)
        await self._operated.drain(farewell)
        await trio.sleep_forever()  # until the end of the process, for which the operator waits

    async def _rebuild(self, asked: Line, say: Say) -> None:
        await self._desk.undertake(asked, say, self._rebuild_all)

    async def _rebuild_all(self, tell: Tell) -> int:
        try:
            tell({"says": await self._operated.rebuild(True)})
        except FAILURES as error:
            tell({"says": f"it failed: {str(error) or repr(error)}"})
            return 1
        return 0

    async def _no_reload(self, _: Line, say: Say) -> None:
        sentence = "one process cannot be renewed while it serves: restart it, or serve with --renewable or --workers 2"
        await say(end(1, says=sentence))
