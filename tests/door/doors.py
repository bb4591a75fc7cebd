"""A whole door on a real port, with an application that can be told to misbehave, and clients for it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import trio

from scoreboard.door import DoorLimits, Drop, FrontDoor, HypercornHandler, Journal, RequestHead, Rounds, load_config
from scoreboard.door.relay import Elsewhere, Hurry, let_it_wait, nowhere_else
from scoreboard.door.tls import Tls
from scoreboard.door.words import plain
from tests.door.attacks import PLAIN

BIG = 64 * 1024 * 1024  # more than the kernel keeps for a client that does not read


@dataclass
class ListLog:
    """A log that can be looked at."""

    lines: list[dict[str, Any]] = field(default_factory=list)

    def warning(self, event: str, **fields: Any) -> None:
        self.lines.append({"event": event, **fields})

    def error(self, event: str, **fields: Any) -> None:
        self.lines.append({"event": event, **fields})


async def app(scope: Any, receive: Any, send: Any) -> None:
    """An ASGI application: the path says what it does."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    path = scope["path"]
    if path == "/raise":
        raise RuntimeError("the application failed")
    if path == "/stuck":
        await trio.sleep_forever()
    body = b"hello"
    if path == "/echo":
        body = await read_body(receive)
    if path == "/big":
        body = b"x" * BIG
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def read_body(receive: Any) -> bytes:
    """All of a request's body."""
    body = b""
    while True:
        message: dict[str, Any] = await receive()
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(body)


async def greet(stream: trio.SocketStream, head: RequestHead, closing: trio.Event) -> None:
    """In place of the live feed: says whom it got, then fails or waits as the path says."""
    await stream.send_all(b"live " + head.path.encode())
    if head.path == "/raise":
        raise ExceptionGroup("two at once", [KeyError("a"), ValueError("b")])
    if head.path == "/deaf":
        await trio.sleep_forever()
    await closing.wait()


class WatchedJournal(Journal):
    """A journal that one can wait for."""

    def __init__(self, log: ListLog) -> None:
        super().__init__(log)
        self._changed = trio.Event()

    def dropped(self, why: Drop) -> None:
        super().dropped(why)
        self._changed.set()
        self._changed = trio.Event()

    async def seen(self, why: Drop) -> None:
        """Until that was counted."""
        while not self.drops[why]:
            await self._changed.wait()


@dataclass
class OpenDoor:
    """A door that is being served, where it listens, and what it told."""

    door: FrontDoor
    port: int
    journal: WatchedJournal
    log: ListLog
    served: trio.Event = field(default_factory=trio.Event)
    cancel: trio.CancelScope = field(default_factory=trio.CancelScope)

    async def connect(self) -> trio.SocketStream:
        """One more client."""
        return await trio.open_tcp_stream("127.0.0.1", self.port)

    async def talk(self, data: bytes) -> bytes:
        """Send all this and read until the end."""
        stream = await self.connect()
        async with stream:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_send_what_is_taken, stream, data)
                answer = await read_all(stream)
                nursery.cancel_scope.cancel()
        return answer

    async def is_serving(self) -> bool:
        """Whether a plain request is answered."""
        answer = await self.talk(PLAIN.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))
        return answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"hello")


async def _send_what_is_taken(stream: trio.SocketStream, data: bytes) -> None:
    with suppress(trio.BrokenResourceError):  # it was refused before its end
        await stream.send_all(data)


async def read_all(stream: trio.SocketStream) -> bytes:
    """Everything until the other side ends it, in good order or not."""
    received = b""
    with suppress(trio.BrokenResourceError):
        async for data in stream:
            received += data
    return received


async def read_until(stream: trio.abc.ReceiveStream, end: bytes, *, times: int = 1) -> bytes:
    """Everything up to these bytes, which come so many times."""
    received = b""
    while received.count(end) < times:
        data = await stream.receive_some()
        assert data, received
        received += data
    return received


@asynccontextmanager
async def open_door(
    limits: DoorLimits | None = None,
    *,
    application: Any = app,
    websocket: Any = greet,
    streams: Any = None,
    words: Any = plain,
    proxies: Any = None,
    tls: Tls | None = None,
    elsewhere: Elsewhere = nowhere_else,
    hurry: Hurry = let_it_wait,
    probes: Any = (),
    rounds: Rounds | None = None,
    **config: Any,
) -> AsyncGenerator[OpenDoor]:
    """Serve on a free port while the body runs; then close and wait until nobody is inside."""
    limits = limits or DoorLimits()
    log = ListLog()
    journal = WatchedJournal(log)
    settings = load_config()
    for name, value in config.items():
        setattr(settings, name, value)
    shared: dict[str, Any] = {"words": words, "proxies": proxies, "elsewhere": elsewhere}
    shared["rounds"] = rounds or Rounds()
    http = HypercornHandler(application, settings, limits, journal, streams or {}, hurry=hurry, **shared)
    told: dict[str, Any] = {"limits": limits, "observer": journal, "streams": streams}
    door = FrontDoor(http=http, websocket=websocket, tls=tls, probes=probes, **told, **shared)
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    opened = OpenDoor(door, listeners[0].socket.getsockname()[1], journal, log)
    async with trio.open_nursery() as nursery:
        await nursery.start(partial(_serve, opened, listeners))
        yield opened
        door.close()
    assert door.connections == 0


async def _serve(opened: OpenDoor, listeners: Any, *, task_status: trio.TaskStatus[None]) -> None:
    with opened.cancel:
        await opened.door.serve(listeners, task_status=task_status)
    opened.served.set()
