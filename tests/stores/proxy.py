"""Stands between a client and a server on a unix socket, and loses connections at the worst moments."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trio

#: How Postgres is asked: a statement that is prepared (its name, its text), and one that is run by its name.
PARSE = re.compile(rb"P....([^\x00]+)\x00([^\x00]+)\x00", re.DOTALL)
BIND = re.compile(rb"B....[^\x00]*\x00([^\x00]+)\x00", re.DOTALL)
#: How often those whom nothing reaches look whether that is over, in seconds.
LOOK_S = 0.02


@dataclass(slots=True)
class Statements:
    """What one connection has prepared, by name."""

    texts: dict[bytes, bytes] = field(default_factory=dict)

    def runs(self, data: bytes, text: bytes) -> bool:
        """Whether these bytes of a client run a statement with that text, and do not only prepare it."""
        self.texts.update((found[1], found[2]) for found in PARSE.finditer(data))
        if not text or (data.startswith(b"Q") and text in data):
            return True
        return any(text in self.texts.get(found[1], b"") for found in BIND.finditer(data))


@dataclass(slots=True)
class Proxy:
    """What to lose next; each works once.

    `lose_request`: the next bytes from a client end its connection unseen by the server. `lose_answer`: the next bytes
    from the server end the connection unseen by the client. While it is `away`, whatever comes ends its connection.

    `statement` narrows both down to the statement of Postgres in whose text it stands. While it `swallows`, nothing
    goes through in either direction, ends of connections included, and nobody is told; what was sent meanwhile arrives
    afterwards, as what the network sends again does. `target` may change: for connections that come later.
    """

    target: str
    lose_request: bool = False
    lose_answer: bool = False
    away: bool = False
    lost: int = 0
    statement: bytes = b""
    swallows: bool = False
    open: int = 0

    async def carry(self, client: trio.SocketStream) -> None:
        """Serve one connection."""
        self.open += 1
        try:
            await self._passable()
            async with client, await trio.open_unix_socket(self.target) as server, trio.open_nursery() as nursery:
                asked = trio.Event()
                nursery.start_soon(self._requests, client, server, asked, nursery.cancel_scope)
                nursery.start_soon(self._answers, server, client, asked, nursery.cancel_scope)
        finally:
            self.open -= 1

    async def _requests(
        self, client: trio.SocketStream, server: trio.SocketStream, asked: trio.Event, scope: trio.CancelScope
    ) -> None:
        known = Statements()
        try:
            async for data in client:
                await self._passable()
                meant = known.runs(bytes(data), self.statement)
                if self.away or (self.lose_request and meant):
                    self._count("lose_request")
                    break
                if self.lose_answer and meant:
                    asked.set()
                await server.send_all(data)
            await self._passable()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        scope.cancel()

    async def _answers(
        self, server: trio.SocketStream, client: trio.SocketStream, asked: trio.Event, scope: trio.CancelScope
    ) -> None:
        try:
            async for data in server:
                await self._passable()
                if self.away or (self.lose_answer and (asked.is_set() or not self.statement)):
                    self._count("lose_answer")
                    break
                await client.send_all(data)
            await self._passable()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        scope.cancel()

    def _count(self, flag: str) -> None:
        if getattr(self, flag):
            setattr(self, flag, False)
            self.lost += 1

    async def _passable(self) -> None:
        while self.swallows:  # noqa: ASYNC110 - a test in another thread says so
            await trio.sleep(LOOK_S)


@asynccontextmanager
async def proxied(target: str, path: Path) -> AsyncIterator[Proxy]:
    """A proxy that listens at `path` for the server at `target`."""
    proxy = Proxy(target)
    listener = trio.socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    await listener.bind(os.fspath(path))
    listener.listen()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, proxy.carry, [trio.SocketListener(listener)])
        yield proxy
        nursery.cancel_scope.cancel()
