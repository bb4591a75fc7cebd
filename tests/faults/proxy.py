"""A bad network: stands between clients and a server, and delays, throttles, resets or swallows what they say.

    async with proxied("/run/.../.s.PGSQL.5432") as proxy:  # or ("127.0.0.1", 6379)
        ...  # connect to proxy.address
        proxy.black_hole()
        ...
        proxy.heal()

What some clients alone have to suffer befalls those who are `set_aside`, by the ports from which they connect.

What happened meanwhile is made up for when it heals, as by TCP: what was sent arrives then, and so does the end of a
connection that one side has closed. Who waits for longer than it wants to has to give up by itself.
"""

from __future__ import annotations

import math
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import trio

from tests.stores.proxy import Statements

#: A host and a port, or the path of a Unix socket.
Address = tuple[str, int] | str

PIECE = 65_536
_ABORT = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class Way:
    """One direction. What is on its way meets `delay_s`, then `bytes_per_s`; while it is `silent` nothing arrives."""

    delay_s: float = 0.0
    bytes_per_s: float = math.inf
    silent: bool = False
    carried: int = 0
    _changed: trio.Event = field(default_factory=trio.Event)

    def become(self, *, delay_s: float = 0.0, bytes_per_s: float = math.inf, silent: bool = False) -> None:
        """From now on; also for what is on its way already, but for what it has waited for."""
        self.delay_s, self.bytes_per_s, self.silent = delay_s, bytes_per_s, silent
        self._changed.set()
        self._changed = trio.Event()

    @property
    def piece(self) -> int:
        """The most that travels at once: a tenth of a second's worth."""
        return int(max(1, min(PIECE, self.bytes_per_s / 10)))

    async def travel(self, size: int) -> None:
        """So many bytes do; returns when they have arrived. An end of a connection has no size."""
        if self.delay_s:
            await trio.sleep(self.delay_s)
        if self.bytes_per_s < math.inf:
            await trio.sleep(size / self.bytes_per_s)
        while self.silent:
            await self._changed.wait()
        self.carried += size


@dataclass(frozen=True, slots=True)
class Path:
    """Both directions of every other connection."""

    to_server: Way = field(default_factory=Way)
    to_client: Way = field(default_factory=Way)


#: The ports of the clients that are set aside, as they are now.
Chosen = Callable[[], frozenset[int]]


@dataclass(slots=True, eq=False)
class Link:
    """One connection: from which port of the client, which path it takes now, and what has become of its answers."""

    client: trio.SocketStream
    port: int
    path: Path
    known: Statements = field(default_factory=Statements)
    loses_answer: bool = False


class Proxy:
    """One server as those see it who reach it through a bad network.

    Connections take one of two `paths` by turns, and those that are set aside take `aside`. `address` is where it
    listens. While it is `refusing`, a new one is reset at once, as it is when the server does not accept. `losing`
    chooses statements of Postgres: they arrive and are obeyed, and then the connection is reset before the answer
    comes. So many were `lost`. `halving` says of each piece of an answer whether only half of it arrives, and then the
    end; so many were `halved`.
    """

    def __init__(self, target: Address, address: tuple[str, int]) -> None:
        self.target = target
        self.address = address
        self.paths = (Path(), Path())
        self.aside = Path()
        self.refusing = False
        self.losing: Callable[[Statements, bytes], bool] | None = None
        self.lost = 0
        self.halving: Callable[[], bool] | None = None
        self.halved = 0
        self._open: dict[trio.SocketStream, Link] = {}
        self._count = 0
        self._chosen: Chosen | None = None
        self._refuses_chosen = False

    def __repr__(self) -> str:
        return f"<Proxy of {self.target} at port {self.address[1]}, {self.connections} connections>"

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._open)

    @property
    def sets_aside(self) -> bool:
        """Whether some clients alone suffer now."""
        return self._chosen is not None

    def delay(self, seconds: float) -> None:
        """Everything takes so much longer, each way."""
        for way in self._ways():
            way.become(delay_s=seconds)

    def throttle(self, bytes_per_s: float) -> None:
        """No connection carries more, each way."""
        for way in self._ways():
            way.become(bytes_per_s=bytes_per_s)

    def black_hole(self, paths: int = 2) -> None:
        """Nothing arrives any more on so many of the paths, and nobody is told."""
        for path in self.paths[:paths]:
            path.to_server.become(silent=True)
            path.to_client.become(silent=True)

    def swallow_answers(self) -> None:
        """What is asked arrives, and what is answered does not."""
        for path in self.paths:
            path.to_server.become()
            path.to_client.become(silent=True)

    def set_aside(self, chosen: Chosen, *, silent_to_server: bool = True, refused: bool = False) -> int:
        """These clients, and those of them who come, hear nothing any more; or are `refused`. How many there were.

        What they say arrives unless it is `silent_to_server`.
        """
        self._chosen, self._refuses_chosen = chosen, refused
        self.aside.to_server.become(silent=silent_to_server)
        self.aside.to_client.become(silent=True)
        ports = chosen()
        found = [link for link in self._open.values() if link.port in ports]
        for link in found:
            link.path = self.aside
            if refused:
                _abort(link.client)
        return len(found)

    def heal(self) -> None:
        """A good network from now on."""
        self.refusing = False
        self.losing = self._chosen = self.halving = None
        for way in self._ways():
            way.become()

    def _ways(self) -> Iterator[Way]:
        for path in (*self.paths, self.aside):
            yield path.to_server
            yield path.to_client

    def reset(self) -> int:
        """Break all connections that there are, at both ends; how many there were."""
        broken, self._open = self._open, {}
        for client in broken:
            _abort(client)
        return len(broken)

    async def carry(self, client: trio.SocketStream) -> None:
        """Serve one connection."""
        link = self._linked(client)
        if self.refusing or (link.path is self.aside and self._refuses_chosen):
            _abort(client)
            return
        self._open[client] = link
        try:
            await self._connect(link)
        finally:
            self._open.pop(client, None)
            await trio.aclose_forcefully(client)

    def _linked(self, client: trio.SocketStream) -> Link:
        link = Link(client, _port_of(client), self.paths[self._count % 2])
        self._count += 1
        if self._chosen is not None and link.port in self._chosen():
            link.path = self.aside
        return link

    async def _connect(self, link: Link) -> None:
        await link.path.to_server.travel(0)
        try:
            server = await _dial(self.target)
        except OSError:
            _abort(link.client)
            return
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._requests, link, server, nursery.cancel_scope)
                nursery.start_soon(self._answers, link, server, nursery.cancel_scope)
        finally:
            _abort(server)

    async def _requests(self, link: Link, server: trio.SocketStream, both: trio.CancelScope) -> None:
        try:
            while data := await self._received(link.client, server, lambda: link.path.to_server):
                await link.path.to_server.travel(len(data))
                link.loses_answer = self._loses(link, data) or link.loses_answer
                await server.send_all(data)
            await link.path.to_server.travel(0)
            await server.send_eof()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            both.cancel()

    def _loses(self, link: Link, data: bytes) -> bool:
        return link.known.runs(data, b"") and self.losing is not None and self.losing(link.known, data)

    async def _answers(self, link: Link, server: trio.SocketStream, both: trio.CancelScope) -> None:
        try:
            while data := await self._received(server, link.client, lambda: link.path.to_client):
                await link.path.to_client.travel(len(data))
                if link.loses_answer:
                    self.lost += 1
                    _abort(link.client)
                    raise trio.ClosedResourceError
                await self._deliver(link.client, data)
            await link.path.to_client.travel(0)
            await link.client.send_eof()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            both.cancel()

    async def _deliver(self, client: trio.SocketStream, data: bytes) -> None:
        halves = self.halving is not None and self.halving()
        await client.send_all(data[: len(data) // 2] if halves else data)
        if halves:
            self.halved += 1
            await trio.aclose_forcefully(client)  # an orderly end, so that what was sent arrives
            raise trio.ClosedResourceError

    async def _received(self, source: trio.SocketStream, sink: trio.SocketStream, way: Callable[[], Way]) -> bytes:
        """The next piece. If the connection broke instead, the other side hears of it as late as of anything."""
        try:
            return bytes(await source.receive_some(way().piece))
        except trio.BrokenResourceError:
            await way().travel(0)
            _abort(sink)
            raise


def _port_of(client: trio.SocketStream) -> int:
    try:
        return int(client.socket.getpeername()[1])
    except OSError:  # gone already
        return 0


async def _dial(target: Address) -> trio.SocketStream:
    if isinstance(target, str):
        return await trio.open_unix_socket(target)
    return await trio.open_tcp_stream(*target)


def _abort(stream: trio.SocketStream) -> None:
    """Close it so that the other end hears of an error and not of an orderly end, where the kernel can tell."""
    if stream.socket.fileno() < 0:
        return
    if stream.socket.family != socket.AF_UNIX:
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
    stream.socket.close()


@asynccontextmanager
async def proxied(target: Address, port: int = 0) -> AsyncIterator[Proxy]:
    """A proxy for the server at `target`, on that port of 127.0.0.1; 0 takes a free one."""
    [listener] = await trio.open_tcp_listeners(port, host="127.0.0.1")
    proxy = Proxy(target, listener.socket.getsockname()[:2])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, proxy.carry, [listener])
        yield proxy
        nursery.cancel_scope.cancel()
