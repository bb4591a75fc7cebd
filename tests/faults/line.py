"""One connection of a client over HTTP/1.1, which is never opened again by itself."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import h11
import trio


class Cut(Exception):
    """There was no whole answer: the connection was refused, reset or ended, or nothing came in time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)


class Line:
    """A connection on which one asks and is answered, one after the other."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._http = h11.Connection(h11.CLIENT)

    @classmethod
    async def to(cls, port: int, within_s: float = 5.0) -> Line:
        """A new one to this machine. Raises Cut."""
        try:
            with trio.fail_after(within_s):
                return cls(await trio.open_tcp_stream("127.0.0.1", port))
        except (OSError, trio.TooSlowError) as error:
            raise Cut(f"cannot connect: {error!r}") from error

    @property
    def port(self) -> int:
        """From where it is connected."""
        found: int = self._stream.socket.getsockname()[1]
        return found

    async def ask(
        self, method: str, path: str, body: object = None, *, within_s: float = 8.0, **headers: str
    ) -> Answer:
        """Ask, and wait for the answer. Raises Cut; then this line is of no more use. Bytes are sent as they are."""
        try:
            with trio.fail_after(within_s):
                await self._say(method, path, body, headers)
                return await self._answer()
        except (trio.BrokenResourceError, trio.ClosedResourceError, h11.ProtocolError, trio.TooSlowError) as error:
            self.hang_up()
            raise Cut(f"{method} {path}: {error!r}") from error

    async def stream(self, path: str, **headers: str) -> AsyncIterator[bytes]:
        """The body of an answer that does not end, piece by piece. Raises Cut when it ends."""
        try:
            await self._say("GET", path, None, headers)
            head = await self._event()
            if not isinstance(head, h11.Response) or head.status_code != 200:
                raise Cut(f"GET {path}: {head!r}")
            while isinstance(event := await self._event(), h11.Data):
                yield bytes(event.data)
        except (trio.BrokenResourceError, trio.ClosedResourceError, h11.ProtocolError) as error:
            raise Cut(f"GET {path}: {error!r}") from error
        finally:
            self.hang_up()
        raise Cut(f"GET {path}: the server ended it")

    def hang_up(self) -> None:
        """Close it at once."""
        if self._stream.socket.fileno() >= 0:
            self._stream.socket.close()

    async def _say(self, method: str, path: str, body: object, headers: Mapping[str, str]) -> None:
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {"Host": "127.0.0.1", **{name.replace("_", "-"): value for name, value in headers.items()}}
        if body is not None or method == "POST":
            named |= {"Content-Length": str(len(content))}
        if body is not None:
            named["Content-Type"] = "text/plain" if isinstance(body, bytes) else "application/json"
        events = [h11.Request(method=method, target=path, headers=list(named.items())), h11.EndOfMessage()]
        if content:
            events.insert(1, h11.Data(data=content))
        await self._stream.send_all(b"".join(self._http.send(event) or b"" for event in events))

    async def _answer(self) -> Answer:
        head, body = await self._event(), b""
        if not isinstance(head, h11.Response):
            raise h11.RemoteProtocolError(f"no answer: {head!r}")
        while isinstance(event := await self._event(), h11.Data):
            body += event.data
        headers = {name.decode().lower(): value.decode() for name, value in head.headers}
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
        else:
            self.hang_up()
        return Answer(head.status_code, headers, body)

    async def _event(self) -> object:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._http.receive_data(await self._stream.receive_some(65_536))
        return event
