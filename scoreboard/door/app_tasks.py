"""The tasks of one HTTP connection, and the way from its reader to the application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import trio
from hypercorn.config import Config
from hypercorn.trio.task_group import TaskGroup, _handle
from hypercorn.typing import AppWrapper, ASGIReceiveEvent, ASGISendEvent, Scope

_DISCONNECT: Any = {"type": "http.disconnect"}


class AppTasks(TaskGroup):
    """Hypercorn's, but what tells the application that its client is gone never waits.

    In the original it stands in line behind the pieces of a body. An application that answers without reading its
    body would then wait for itself to make room.
    """

    async def spawn_app(
        self,
        app: AppWrapper,
        config: Config,
        scope: Scope,
        send: Callable[[ASGISendEvent | None], Awaitable[None]],
    ) -> Callable[[ASGIReceiveEvent], Awaitable[None]]:
        """Start the application on one request; returns how to bring it the pieces of the body and the end."""
        give, take = trio.open_memory_channel[ASGIReceiveEvent](config.max_app_queue_size)

        async def receive() -> ASGIReceiveEvent:
            try:
                return await take.receive()
            except trio.EndOfChannel:
                return _DISCONNECT  # type: ignore[no-any-return]

        async def run() -> None:
            with take:
                await _handle(app, config, scope, receive, send, trio.to_thread.run_sync, trio.from_thread.run)

        async def put(event: ASGIReceiveEvent) -> None:
            if event["type"] == "http.disconnect":
                give.close()
                return
            with suppress(trio.BrokenResourceError, trio.ClosedResourceError):  # it has answered, or the client left
                await give.send(event)

        self.spawn(run)
        return put
