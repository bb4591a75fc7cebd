"""One request and its answer, in one task.

Quart's own connection runs each request in a nursery of two tasks, so that a client which hangs up cancels the
handler at any point. Here the body is read first, within bounds, and then the handler runs to its end whoever listens:
all that it waits for has a bound. That is safer, and costs less than half.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import trio
from quart_trio.asgi import TrioASGIHTTPConnection

from scoreboard.api.answer import Answer
from scoreboard.api.compression import encoded
from scoreboard.api.errors import ApiError, too_large, too_slow
from scoreboard.api.request import ApiRequest
from scoreboard.ends import Waiting
from scoreboard.observe.logs import request_scope
from scoreboard.wire import request_id
from scoreboard.wire.browsers import NO_PAGE, POLICY, SAFE

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

WITHOUT_BODY = frozenset({204, 304})
#: What the door calls the extension by which it says that the whole body has come.
WHOLE = "scoreboard.whole"
CLIENT_GONE = 499  # nobody sees it: the client had gone before its request was complete


class ClientGone(Exception):
    """The client hung up in the middle of its request."""


class Exchange(TrioASGIHTTPConnection):
    """Reads one request, has it answered, sends the answer, and says in log and metrics how it went."""

    async def __call__(self, receive: Receive, send: Send) -> None:
        """Serve the request. Raises nothing but cancellation."""
        began = trio.current_time()
        name = request_id.chosen_or_fresh(self.scope["headers"])
        with request_scope(name):
            request = ApiRequest(self.scope, name)
            status = CLIENT_GONE
            try:
                self._app.enter(request)
                request.raw_body = await self._read_body(receive, request)
                answer = await self._app.answer(request)
                status = answer.status
                await self._send_answer(send, encoded(answer, request), request)
            except ApiError as refusal:  # too many, or a body too large or too slow, the rest of which is on its way
                status = refusal.status
                await self._send_while_draining(receive, send, self._app.error_answer(refusal, request), request)
            except ClientGone:
                pass
            finally:
                self._record(request, status, trio.current_time() - began)

    @property
    def _app(self) -> Any:
        return self.app  # an Application, which this file cannot import because it imports this one

    # --- in ---

    async def _read_body(self, receive: Receive, request: ApiRequest) -> bytes:
        most: int = self._app.most_bytes(request)
        if self._announced() > most:
            raise too_large(most)
        if WHOLE in self.scope.get("extensions", ()):  # as with nearly all requests: nothing is waited for
            return await read_all(receive, most)
        world, now = self._app.world, trio.current_time()
        with trio.move_on_after(world.ends.within(world.body_within_s, Waiting.BODY, now)):
            return await read_all(receive, most)
        raise too_slow()

    def _announced(self) -> int:
        for name, value in self.scope["headers"]:
            if name.lower() == b"content-length":
                return int(value) if value.isdigit() else 0
        return 0

    # --- out ---

    async def _send_while_draining(self, receive: Receive, send: Send, answer: Answer, request: ApiRequest) -> None:
        """Send although the request goes on: what still comes is thrown away, or its queue would block us both."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(drain, receive)
            await self._send_answer(send, answer, request)
            nursery.cancel_scope.cancel()

    async def _send_answer(self, send: Send, answer: Answer, request: ApiRequest) -> None:
        named = (request_id.HEADER, request.request_id.encode("ascii"))
        headers = [*answer.headers, *self._app.limits_of(request), *self._app.sharing.headers(request), *SAFE, named]
        if not any(name == POLICY for name, _ in answer.headers):
            headers.append(NO_PAGE)
        if answer.status not in WITHOUT_BODY:
            headers.append((b"content-length", b"%d" % len(answer.body)))
        silent = answer.status in WITHOUT_BODY or self.scope["method"] == "HEAD"
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if silent else answer.body, "more_body": False})

    def _record(self, request: ApiRequest, status: int, seconds: float) -> None:
        self._app.record(
            method=request.method[:20],
            route=request.route,
            status=status,
            seconds=seconds,
            path=request.path[:200],
            client=(self.scope.get("client") or (None,))[0],
            user_id=request.user_id,
        )


async def read_all(receive: Receive, most_bytes: int) -> bytes:
    """The whole body of a request.

    Raises:
        ApiError: it has more than `most_bytes`; the rest has not been read.
        ClientGone: it will never be complete.
    """
    message = await receive()
    body: bytes = message.get("body", b"")
    while True:
        if message["type"] == "http.disconnect":
            raise ClientGone
        if len(body) > most_bytes:
            raise too_large(most_bytes)
        if not message.get("more_body", False):
            return body
        message = await receive()
        body += message.get("body", b"")


async def drain(receive: Receive) -> None:
    """Read and forget until the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
