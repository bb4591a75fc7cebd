"""Sends what the door hands over to whom its path belongs: rooms that may not know each other meet at one port."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import Any

import trio

from scoreboard.door.front_door import Handler
from scoreboard.door.head import RequestHead
from scoreboard.door.transport import Transport

Application = Callable[[Any, Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]


def requests_by_path(paths: Collection[str], there: Application, otherwise: Application) -> Application:
    """An ASGI application that is `there` at these paths, and `otherwise` at all others and for all but requests."""

    def serve(
        scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> Awaitable[None]:
        is_there = scope["type"] == "http" and scope["path"] in paths
        return (there if is_there else otherwise)(scope, receive, send)

    return serve


def sockets_by_path(paths: Collection[str], there: Handler, otherwise: Handler) -> Handler:
    """The same for WebSockets."""

    def serve(stream: Transport, head: RequestHead, closing: trio.Event) -> Awaitable[RequestHead | None]:
        return (there if head.path in paths else otherwise)(stream, head, closing)

    return serve
