"""Where a running server hears its operator: a Unix socket in a private directory of the data directory.

Who asks sends one line of JSON, ``{"ask": "status", ...}``. The answers are lines of JSON too; the last one has
``"end"``, the status that the operator's verb ends with.
"""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import trio

from scoreboard.observe.logs import Logger

NAME = "operators.sock"
ASKED_BYTES = 4096
HEARD_WITHIN_S = 5.0
#: Who does not read its answers is let go after so long.
TAKEN_WITHIN_S = 10.0
VISITORS = 16
#: Of a question; what else is in it may be a word that the log has for itself.
LOGGED = ("worker", "over_s", "notice_s")

Line = dict[str, Any]
#: Says a line to who asked.
Say = Callable[[Line], Awaitable[None]]
#: Answers a question.
Answer = Callable[[Line, Say], Awaitable[None]]
Tell = Callable[[Line], None]

ENDINGS = (trio.BrokenResourceError, trio.ClosedResourceError)


def end(status: int, **told: Any) -> Line:
    """The last line: how the operator's verb ends, and why."""
    return {"end": status, **told}


class Undertaking:
    """Something that takes a while, and goes on whoever looks; all who ask for it hear the same from the beginning."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.over = False
        self._lines: list[Line] = []
        self._changed = trio.Event()

    def __repr__(self) -> str:
        return f"<Undertaking {self.name}, {len(self._lines)} lines{', over' if self.over else ''}>"

    def tell(self, line: Line) -> None:
        """One more line for all who listen."""
        self._lines.append(line)
        self.over = "end" in line
        self._changed.set()
        self._changed = trio.Event()

    async def follow(self, say: Say) -> None:
        """Say all of them, as they come."""
        heard = 0
        while True:
            while heard < len(self._lines):
                await say(self._lines[heard])
                heard += 1
            if self.over:
                return
            await self._changed.wait()


class Desk:
    """Answers operators while it is `open_in` a directory. Of what takes a while, one thing is done at a time.

    Args:
        log: Where it is said what an operator began.
    """

    def __init__(self, log: Logger) -> None:
        self.answers: dict[str, Answer] = {}
        self._log = log
        self._nursery: trio.Nursery | None = None
        self._visitors = 0
        self._under_way: Undertaking | None = None

    def __repr__(self) -> str:
        return f"<Desk for {', '.join(self.answers)}; {self._under_way or 'nothing'} under way>"

    @asynccontextmanager
    async def open_in(self, sockets: Path) -> AsyncGenerator[None]:
        """Answer while the body runs, whose error leaves as it is, not in a group."""
        failure: Exception | None = None
        path = sockets / NAME
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(os.fspath(path))
        listener.listen(VISITORS)
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            listening = [trio.SocketListener(trio.socket.from_stdlib_socket(listener))]
            await nursery.start(trio.serve_listeners, self._serve, listening)
            try:
                yield
            except Exception as error:  # noqa: BLE001 - raised again below, outside of the nursery
                failure = error
            finally:
                self._nursery = None
                path.unlink(missing_ok=True)  # who asks from now on hears that nobody answers
            nursery.cancel_scope.cancel()
        if failure is not None:
            raise failure

    async def undertake(self, asked: Line, say: Say, work: Callable[[Tell], Awaitable[int]]) -> None:
        """Have it done, and say what is told of it. If it is under way already, listen to that."""
        if self._under_way is None or self._under_way.over:
            self._begin(asked, work)
        elif self._under_way.name != asked["ask"]:
            await say(end(1, says=f"a {self._under_way.name} is under way; scoreboard status tells when it is over"))
            return
        if self._under_way is not None:
            await self._under_way.follow(say)

    def _begin(self, asked: Line, work: Callable[[Tell], Awaitable[int]]) -> None:
        if self._nursery is not None:
            self._under_way = Undertaking(asked["ask"])
            told = {name: asked[name] for name in LOGGED if asked.get(name) is not None}
            self._log.info("operator_asked", ask=asked["ask"], **told)
            self._nursery.start_soon(self._do, self._under_way, work)

    @property
    def under_way(self) -> str | None:
        """The name of what is being done, if anything is."""
        return None if self._under_way is None or self._under_way.over else self._under_way.name

    async def _do(self, undertaking: Undertaking, work: Callable[[Tell], Awaitable[int]]) -> None:
        status = 1
        try:
            status = await work(undertaking.tell)
        except Exception as error:  # noqa: BLE001 - the operator hears of it, and the server goes on
            self._log.error("operator_failed", ask=undertaking.name, exc_info=error)
            undertaking.tell({"says": f"it failed: {error!r}"})
        finally:
            undertaking.tell(end(status))

    async def _serve(self, stream: trio.SocketStream) -> None:
        self._visitors += 1
        try:
            if self._visitors <= VISITORS:
                await self._talk(stream)
        except* ENDINGS:
            pass
        except* Exception as errors:  # noqa: BLE001 - an operator's question ends no server
            self._log.error("operator_not_answered", exc_info=errors)
        finally:
            self._visitors -= 1
            stream.socket.close()

    async def _talk(self, stream: trio.SocketStream) -> None:
        asked = await _question(stream)
        answer = self.answers.get(str(asked.get("ask")), self._unknown)
        async with trio.open_nursery() as nursery:

            async def until_gone() -> None:
                with suppress(*ENDINGS):
                    await stream.receive_some(1)
                nursery.cancel_scope.cancel()

            nursery.start_soon(until_gone)
            await answer(asked, partial(_say, stream))
            nursery.cancel_scope.cancel()

    async def _unknown(self, _: Line, say: Say) -> None:
        await say(end(1, says=f"this server does not understand that; it knows {', '.join(sorted(self.answers))}"))


async def _question(stream: trio.SocketStream) -> Line:
    """What is asked; nothing if it is no question."""
    text = b""
    with trio.move_on_after(HEARD_WITHIN_S):
        while b"\n" not in text and len(text) < ASKED_BYTES and (piece := await stream.receive_some(ASKED_BYTES)):
            text += piece
    try:
        asked = msgspec.json.decode(text.partition(b"\n")[0])
    except msgspec.DecodeError:
        return {}
    return asked if isinstance(asked, dict) else {}


async def _say(stream: trio.SocketStream, line: Mapping[str, Any]) -> None:
    with trio.move_on_after(TAKEN_WITHIN_S) as saying:
        await stream.send_all(msgspec.json.encode(line) + b"\n")
    if saying.cancelled_caught:
        raise trio.BrokenResourceError("it does not read")
