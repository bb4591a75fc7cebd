"""What an application says of one answer, on its way to the connection."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from hypercorn.protocol.http_stream import ASGIHTTPState, HTTPStream
from hypercorn.typing import ASGISendEvent
from hypercorn.utils import suppress_body

Fields = Sequence[tuple[bytes, bytes]]
Begin = Callable[[int, Fields], None]
GoOn = Callable[[bytes, bool], Awaitable[None]]


class AppStream(HTTPStream):
    """Hypercorn's, which makes the scope of ASGI and watches over the order of its messages.

    It would make four events of the two messages of an ordinary answer, and look through fields that are looked through
    once more when they become bytes. These two are passed on as they are, and all others go their usual way.

    Args:
        begin: Hears status and fields of the answer.
        go_on: Hears a piece of its body, and whether that was the last.
        usual: What Hypercorn's is made of.
    """

    def __init__(self, begin: Begin, go_on: GoOn, *usual: Any) -> None:
        super().__init__(*usual)
        self._begin = begin
        self._go_on = go_on

    async def app_send(self, message: ASGISendEvent | None) -> None:
        """One message of the application; None when there are no more."""
        if message is None:
            await super().app_send(message)
        elif message["type"] == "http.response.start" and self.state is ASGIHTTPState.REQUEST:
            self._begin(int(message["status"]), list(message.get("headers", ())))
            self.response = message
            self.state = ASGIHTTPState.RESPONSE
        elif message["type"] == "http.response.body" and self.state is ASGIHTTPState.RESPONSE:
            silent = suppress_body(self.scope["method"], int(self.response["status"]))
            last = not message.get("more_body", False)
            await self._go_on(b"" if silent else bytes(message.get("body", b"")), last)
            if last:
                self.state = ASGIHTTPState.CLOSED
        else:
            await super().app_send(message)
