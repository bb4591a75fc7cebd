"""Requests exactly as an ASGI server hands them over, for what a test client would tidy up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import trio
from quart_trio import QuartTrio

Headers = Sequence[tuple[bytes, bytes]]

WHOLE = {"type": "http.request", "body": b"", "more_body": False}
GONE = {"type": "http.disconnect"}


def part(body: bytes, *, last: bool = False) -> dict[str, Any]:
    """A piece of a body."""
    return {"type": "http.request", "body": body, "more_body": not last}


@dataclass
class Sent:
    """What came back: status and headers as they were sent, and the body."""

    messages: list[Any]

    @property
    def status(self) -> int:
        return int(self.messages[0]["status"])

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.messages[0]["headers"]}

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages[1:])


def scope_of(method: str, path: str, query: bytes = b"", headers: Headers = ()) -> Any:
    """The scope of a request."""
    return {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "query_string": query,
        "root_path": "",
        "headers": list(headers),
        "client": ("198.51.100.2", 4711),
    }


async def ask(
    app: QuartTrio,
    method: str,
    path: str,
    *,
    query: bytes = b"",
    headers: Headers = (),
    messages: Sequence[dict[str, Any]] = (WHOLE,),
) -> Sent:
    """Send a request in these pieces; after the last one nothing more comes."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        await trio.lowlevel.checkpoint()
        sent.append(message)

    await app(scope_of(method, path, query, headers), receiver(messages), send)
    return Sent(sent)


def receiver(messages: Sequence[dict[str, Any]]) -> Callable[[], Awaitable[Any]]:
    """Gives one message after the other, then waits for ever."""
    waiting = list(messages)

    async def receive() -> Any:
        if not waiting:
            await trio.sleep_forever()
        await trio.lowlevel.checkpoint()
        return waiting.pop(0)

    return receive
