"""Stands between a client and a server on a unix socket, and loses connections at the worst moments."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import trio


@dataclass(slots=True)
class Proxy:
    """What to lose next; each works once.

    `lose_request`: the next bytes from a client end its connection unseen by the server. `lose_answer`: the next bytes
    from the server end the connection unseen by the client. While it is `away`, whatever comes ends its connection.
    """

    target: str
    lose_request: bool = False
    lose_answer: bool = False
    away: bool = False
    lost: int = 0

    async def carry(self, client: trio.SocketStream) -> None:
        """Serve one connection."""
        async with client, await trio.open_unix_socket(self.target) as server, trio.open_nursery() as nursery:
            nursery.start_soon(self._pump, client, server, "lose_request", nursery.cancel_scope)
            nursery.start_soon(self._pump, server, client, "lose_answer", nursery.cancel_scope)

    async def _pump(
        self, source: trio.SocketStream, sink: trio.SocketStream, flag: str, scope: trio.CancelScope
    ) -> None:
        try:
            async for data in source:
                if self.away:
                    break
                if getattr(self, flag):
                    setattr(self, flag, False)
                    self.lost += 1
                    break
                await sink.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        scope.cancel()


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
