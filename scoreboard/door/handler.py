"""Hypercorn behind the door: its configuration, lifespan, requests and log, held to HTTP/1.1."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncGenerator, Callable, Container, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.logging import Logger
from hypercorn.trio.lifespan import Lifespan
from hypercorn.typing import ASGIFramework
from hypercorn.utils import parse_socket_addr

from scoreboard.door.connection import Http1Connection, Name, Site
from scoreboard.door.head import RequestHead
from scoreboard.door.limits import DoorLimits
from scoreboard.door.observer import DoorObserver, Drop
from scoreboard.door.parser import HeadParser
from scoreboard.door.proxies import Proxies
from scoreboard.door.relay import Elsewhere, Hurry, let_it_wait, nowhere_else
from scoreboard.door.rounds import Rounds
from scoreboard.door.stream import HttpStream
from scoreboard.door.transport import Transport
from scoreboard.door.words import Words, plain

#: A link to the file at the top of the repository: beside the code it also goes into an installed package.
HYPERCORN = Path(__file__).parent / "hypercorn.toml"


class HypercornHandler:
    """Serves plain HTTP connections: `app` is any ASGI application that runs on Trio.

    One handler serves any number of connections; `lifespan` belongs round all of them. Browsers ask for a stream, and
    proxies for a WebSocket, on a connection that had other requests before: the door goes on with those, by the paths
    `streams` and by what they ask to become. `words` says what a
    request is told whose body is refused here, before the application has heard all of it. Requests through `proxies`
    are those of the clients behind them. What is `elsewhere` is passed on, and
    what waits there is told to `hurry` when the door leaves. Every answer has the headers `constant`.
    With the door's own `rounds` those of one address are begun in turn.
    """

    def __init__(  # noqa: PLR0913 - named, but for what every handler has
        self,
        app: ASGIFramework,
        config: Config,
        limits: DoorLimits,
        observer: DoorObserver,
        streams: Container[str] = (),
        *,
        words: Words = plain,
        proxies: Proxies | None = None,
        elsewhere: Elsewhere = nowhere_else,
        hurry: Hurry = let_it_wait,
        constant: Sequence[tuple[bytes, bytes]] = (),
        rounds: Rounds | None = None,
    ) -> None:
        self._site = Site(
            ASGIWrapper(app),
            config,
            limits,
            ConstantLines(config, more=constant),
            observer.dropped,
            streams,
            words,
            proxies or Proxies(),
            elsewhere=elsewhere,
            hurry=hurry,
            rounds=rounds or Rounds(),
        )
        self._observer = observer
        # Hypercorn makes its logger from this class when it first has something to say.
        config.logger_class = lambda config: _ToObserver(config, observer)  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<HypercornHandler of {self._site.app.app!r}>"

    async def __call__(self, transport: Transport, head: RequestHead, closing: trio.Event) -> RequestHead | None:
        """Serve one connection whose first head was read already; see `Handler`."""
        try:
            client, server = _names(transport.socket) if head.peer is None else ((head.peer, 0), None)
        except OSError:
            return None  # it left with a reset just now
        unread = partial(self._observer.dropped, Drop.UNREAD)
        stream = HttpStream(transport, self._site.limits, unread, self._site.rounds.ends)
        received = HeadParser(self._site.limits)
        received.feed(head.raw + head.rest)
        return await Http1Connection(self._site, stream, received, closing, client, server).run()

    @asynccontextmanager
    async def lifespan(self) -> AsyncGenerator[None]:
        """The application's start-up before the body, its shutdown after it, both within the times of the config.

        Raises:
            hypercorn.utils.LifespanTimeoutError: either took too long.
            hypercorn.utils.LifespanFailureError: the application says that it cannot.
        """
        lifespan = Lifespan(self._site.app, self._site.config, self._site.state)
        async with trio.open_nursery() as nursery:
            await nursery.start(lifespan.handle_lifespan)
            await lifespan.wait_for_startup()
            yield
            await lifespan.wait_for_shutdown()
            nursery.cancel_scope.cancel()


def load_config() -> Config:
    """What Hypercorn shall hold to: hypercorn.toml."""
    return Config.from_toml(HYPERCORN)


class ConstantLines:
    """The lines that Hypercorn's config puts into every answer, the date among them, and more; made once a second."""

    def __init__(
        self, config: Config, now_s: Callable[[], float] = time.time, more: Sequence[tuple[bytes, bytes]] = ()
    ) -> None:
        self._config = config
        self._more = tuple(more)
        self._now_s = now_s
        self._made_s = -1
        self._lines = b""

    def __call__(self) -> bytes:
        """The lines for an answer that goes out now."""
        now_s = int(self._now_s())
        if now_s != self._made_s:
            self._made_s = now_s
            fields = (*self._config.response_headers("h11"), *self._more)
            self._lines = b"".join(b"%b: %b\r\n" % field for field in fields)
        return self._lines


def _names(socket: Any) -> tuple[Name, Name]:
    return parse_socket_addr(socket.family, socket.getpeername()), parse_socket_addr(
        socket.family, socket.getsockname()
    )


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
