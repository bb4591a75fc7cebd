"""Hypercorn behind the door: its connection server, held to HTTP/1.1."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

import h11
import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.logging import Logger
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.trio.lifespan import Lifespan
from hypercorn.trio.task_group import TaskGroup
from hypercorn.trio.tcp_server import MAX_RECV, TCPServer
from hypercorn.trio.worker_context import EventWrapper, WorkerContext
from hypercorn.typing import ASGIFramework, ConnectionState, LifespanState
from hypercorn.utils import parse_socket_addr

from scoreboard.door.app_tasks import AppTasks
from scoreboard.door.farewell import short_answer
from scoreboard.door.gate import Gate
from scoreboard.door.head import RequestHead
from scoreboard.door.idle import IdleLimit
from scoreboard.door.limits import DoorLimits
from scoreboard.door.observer import DoorObserver, Drop
from scoreboard.door.parser import Http1Parser
from scoreboard.door.stream import HttpStream

_VERSIONS = (b"1.0", b"1.1")
_Name = tuple[str, int] | None


def refusal(request: h11.Request, limits: DoorLimits) -> tuple[int, str] | None:
    """The status and sentence for a request that must not reach the application; None if it may."""
    names = {bytes(name) for name, _ in request.headers}
    if request.http_version not in _VERSIONS:
        return 505, "This port speaks HTTP/1.1 only."
    if not request.target.startswith(b"/"):
        return 400, "The target of a request must be a path."
    if {b"content-length", b"transfer-encoding"} <= names:
        return 400, "A body has one length."  # two readings of it are how requests are smuggled past a proxy
    if len(request.headers) > limits.head_headers:
        return 431, "The head of the request is too large."
    if _asks_for_websocket(request):
        return 400, "A WebSocket begins with the first request of a connection, a GET with Connection: Upgrade."
    return None


def _asks_for_websocket(request: h11.Request) -> bool:
    return any(name == b"upgrade" and value.strip().lower() == b"websocket" for name, value in request.headers)


class Http1Protocol(H11Protocol):
    """Hypercorn's HTTP/1.1 without its two ways into HTTP/2 and without its WebSocket.

    `Upgrade: h2c` is answered as the plain request that it also is, as RFC 9110 allows; `PRI *` is refused.
    """

    def __init__(self, limits: DoorLimits, *args: Any) -> None:
        super().__init__(*args)
        self._limits = limits
        self._gate = self.can_read = Gate()
        self._head = b""  # of an answer, until the first piece of its body goes out with it
        self.connection = Http1Parser(h11.SERVER, max_incomplete_event_size=self.config.h11_max_incomplete_size)

    @property
    def body_expected(self) -> bool:
        """Whether the client has still to send what its request announced."""
        return self.connection.their_state is h11.SEND_BODY

    async def handle(self, event: Event) -> None:
        """As the original; the end of the connection also ends a reader that waits for its turn."""
        if isinstance(event, Closed):
            self._gate.end()
        await super().handle(event)

    async def _check_protocol(self, event: h11.Request) -> None:
        """Nothing: this is where the original changes to HTTP/2."""

    async def _create_stream(self, request: h11.Request) -> None:
        refused = refusal(request, self._limits)
        if refused is None:
            await super()._create_stream(request)
            return
        await self.send(RawData(data=short_answer(*refused)))
        await self.send(Closed())

    async def _send_h11_event(self, event: Any) -> None:
        """As the original, but a head goes out together with the first piece of its body: one write instead of two.

        An application that wants its head to be seen early begins its body early.
        """
        try:
            data = self._head + (self.connection.send(event) or b"")
        except h11.LocalProtocolError:
            if self.connection.their_state is not h11.ERROR:
                raise
            return
        self._head = data if isinstance(event, h11.Response) else b""
        if data and not self._head:
            await self.send(RawData(data=data))

    async def _maybe_recycle(self) -> None:
        """As the original, but to its end: Quart cancels this very task once it hears that the answer is out.

        Cut off here, the connection would neither be closed nor have its idle time limited. Nothing in here waits for
        the client or the application, which bounds the shield.
        """
        with trio.CancelScope(shield=True):
            await super()._maybe_recycle()


class Http1Server(TCPServer):
    """Hypercorn's server of one connection. It makes its protocol itself, so no other can take its place later."""

    protocol: Http1Protocol  # type: ignore[assignment]  # the original wraps it to be able to change to HTTP/2

    def __init__(self, handler: HypercornHandler, stream: HttpStream, closing: trio.Event, socket: Any) -> None:
        super().__init__(handler.app, handler.config, _Context(closing), handler.state, stream)  # type: ignore[arg-type]
        self._limits = handler.limits
        self._socket = socket
        self._over = False
        self.idle_task: IdleLimit = IdleLimit(  # type: ignore[assignment]  # it has the two methods that are called
            self.config.keep_alive_timeout, self.context.terminated, self._initiate_server_close
        )

    async def run(self) -> None:
        """Serve until either side ends the connection."""
        try:
            client, server = self._names()
        except OSError:
            return  # it left with a reset just now
        try:
            async with AppTasks() as tasks:
                self._task_group = tasks
                self.protocol = self._make_protocol(tasks, client, server)
                await self.idle_task.restart(tasks)
                await self._read_data()
                self._over = True
                self.idle_task.end()
        finally:
            await self._close()

    async def protocol_send(self, event: Event) -> None:
        """As the original, but what is over is not idle: it would keep its place for the whole idle time."""
        if not (self._over and isinstance(event, Updated)):
            await super().protocol_send(event)

    def _names(self) -> tuple[_Name, _Name]:
        family = self._socket.family
        return (
            parse_socket_addr(family, self._socket.getpeername()),
            parse_socket_addr(family, self._socket.getsockname()),
        )

    def _make_protocol(self, tasks: TaskGroup, client: _Name, server: _Name) -> Http1Protocol:
        state = ConnectionState(self.state)
        return Http1Protocol(
            self._limits, self.app, self.config, self.context, tasks, state, False, client, server, self.protocol_send
        )

    async def _read_data(self) -> None:
        """As the original, but `read_timeout` holds only for a body: a long answer may go on without questions."""
        try:
            while True:
                with trio.fail_after((self.config.read_timeout or inf) if self.protocol.body_expected else inf):
                    data = await self.stream.receive_some(MAX_RECV)
                await self.protocol.handle(RawData(bytes(data)))
                if not data:
                    break
        except (trio.ClosedResourceError, trio.BrokenResourceError, trio.TooSlowError):
            pass
        await self.protocol.handle(Closed())


class HypercornHandler:
    """Serves plain HTTP connections: `app` is any ASGI application that runs on Trio.

    One handler serves any number of connections; `lifespan` belongs round all of them.
    """

    def __init__(self, app: ASGIFramework, config: Config, limits: DoorLimits, observer: DoorObserver) -> None:
        self.app = ASGIWrapper(app)
        self.config = config
        self.limits = limits
        self.state: LifespanState = {}
        self._observer = observer
        # Hypercorn makes its logger from this class when it first has something to say.
        config.logger_class = lambda config: _ToObserver(config, observer)  # type: ignore[assignment]

    async def __call__(self, transport: trio.SocketStream, head: RequestHead, closing: trio.Event) -> None:
        """Serve one connection whose first head was read already."""
        stream = HttpStream(transport, head.raw + head.rest, self.limits, partial(self._observer.dropped, Drop.UNREAD))
        await Http1Server(self, stream, closing, transport.socket).run()

    @asynccontextmanager
    async def lifespan(self) -> AsyncGenerator[None]:
        """The application's start-up before the body, its shutdown after it, both within the times of the config.

        Raises:
            hypercorn.utils.LifespanTimeoutError: either took too long.
            hypercorn.utils.LifespanFailureError: the application says that it cannot.
        """
        lifespan = Lifespan(self.app, self.config, self.state)
        async with trio.open_nursery() as nursery:
            await nursery.start(lifespan.handle_lifespan)
            await lifespan.wait_for_startup()
            yield
            await lifespan.wait_for_shutdown()
            nursery.cancel_scope.cancel()


def load_config(path: Path) -> Config:
    """What Hypercorn shall hold to, from a TOML file."""
    return Config.from_toml(path)


class _Closing(EventWrapper):
    """The door's event in Hypercorn's clothes."""

    def __init__(self, event: trio.Event) -> None:
        self._event = event


class _Context(WorkerContext):
    """Tells a connection server when the door closes."""

    def __init__(self, closing: trio.Event) -> None:
        super().__init__(max_requests=None)
        self.terminated = _Closing(closing)


class _ToObserver(Logger):
    """Hypercorn's log: failures go to the observer; requests are logged by the application, which knows their ids."""

    def __init__(self, config: Config, observer: DoorObserver) -> None:
        super().__init__(config)
        self._observer = observer

    async def access(self, *_: Any) -> None:
        """Nothing."""

    async def exception(self, message: str, *_: Any, **__: Any) -> None:
        """A failure that is being handled right now."""
        self._observer.http_failed(message, sys.exc_info()[1])

    async def error(self, message: str, *_: Any, **__: Any) -> None:
        """A failure that was not raised."""
        self._observer.http_failed(message, None)

    async def critical(self, message: str, *_: Any, **__: Any) -> None:
        """As `error`."""
        self._observer.http_failed(message, None)

    async def warning(self, message: str, *_: Any, **__: Any) -> None:
        """As `error`: Hypercorn warns of an application without lifespan."""
        self._observer.http_failed(message, None)
