"""Where the application runs: in the task of its connection."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio
from hypercorn.config import Config
from hypercorn.trio.task_group import TaskGroup, _handle
from hypercorn.typing import AppWrapper, ASGIReceiveEvent, ASGISendEvent, Scope

Receive = Callable[[], Awaitable[ASGIReceiveEvent]]

#: An extension of ASGI: all of the body has come, so that `receive` tells it at once and the application need not
#: bound its wait.
WHOLE = "scoreboard.whole"


class InPlace(TaskGroup):
    """In place of Hypercorn's, which starts a task and a queue for every request.

    A connection of HTTP/1.1 has one request at a time, so its task has nothing else to do than to be the application;
    what the application wants of the body it takes from the socket itself, which is back pressure without a queue.
    `whole` says that there is nothing to take from it any more.
    """

    def __init__(self, receive: Receive, *, whole: bool) -> None:
        super().__init__()
        self._receive = receive
        self._whole = whole

    async def spawn_app(
        self,
        app: AppWrapper,
        config: Config,
        scope: Scope,
        send: Callable[[ASGISendEvent | None], Awaitable[None]],
    ) -> Callable[[ASGIReceiveEvent], Awaitable[None]]:
        """Run the application on one request to its end. Its failures are logged and answered as Hypercorn does it."""
        if self._whole and scope["type"] == "http":
            scope["extensions"][WHOLE] = {}
        await _handle(app, config, scope, self._receive, send, trio.to_thread.run_sync, trio.from_thread.run)
        return _nowhere


async def _nowhere(_: ASGIReceiveEvent) -> None:
    """Where pieces of a body would be put."""
