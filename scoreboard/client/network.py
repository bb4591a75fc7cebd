"""The real network: WebSockets by trio-websocket, requests by httpx. Nothing of either goes out of here."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import httpx
import trio
from trio_websocket import ConnectionClosed, ConnectionRejected, WebSocketConnection, wrap_client_stream

from scoreboard.client.errors import LineLost, NoAnswer, seconds
from scoreboard.client.pace import ANSWER_WITHIN_S, RENEWED
from scoreboard.client.transport import Answer

TcpOrTls = trio.SocketStream | trio.SSLStream[trio.SocketStream]
CLOSE_WITHIN_S = 1.0
MESSAGES = 64  # read ahead; an undrained queue would stop pongs
LONGEST_S = 60.0  # each request has a shorter bound of its own


@asynccontextmanager
async def network(url: str, tls: ssl.SSLContext | None = None) -> AsyncIterator[Network]:
    """The way to the server at `url`, for the time of a block; raises ValueError if it is no address of one.

    `tls` says whom to trust; without it those whom the machine trusts.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{url!r} is not an address of a server: write it like https://scores.example.org.")
    # Proxies from the environment are for the world outside; a request to this very machine never needs one.
    outside = parts.hostname not in {"localhost", "127.0.0.1", "::1"}
    headers, verify = {"User-Agent": "scoreboard-client"}, True if tls is None else tls
    async with httpx.AsyncClient(
        base_url=url, headers=headers, timeout=LONGEST_S, trust_env=outside, verify=verify
    ) as http:
        yield Network(url.rstrip("/"), http, tls)


class Network:
    """One server, reached by its address."""

    def __init__(self, url: str, http: httpx.AsyncClient, tls: ssl.SSLContext | None = None) -> None:
        self._parts = urlsplit(url)
        self._http = http
        self._tls = tls

    async def request(
        self, method: str, path: str, *, headers: Mapping[str, str], body: Mapping[str, Any] | None, within: float
    ) -> Answer:
        """As `Transport` has it."""
        try:
            with trio.fail_after(within):  # httpx bounds each read, not all of them together
                answer = await self._http.request(method, path.lstrip("/"), headers=dict(headers), json=body)
        except (trio.TooSlowError, httpx.TransportError) as error:
            raise NoAnswer(f"{method} {path.partition('?')[0]} had no answer: {error!r}") from error
        return Answer(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, _parsed(answer))

    async def open_socket(self, nursery: trio.Nursery, path: str) -> NetworkSocket:
        """As `Transport` has it."""
        socket = await nursery.start(self._serve, path)
        if isinstance(socket, LineLost):
            raise socket
        assert isinstance(socket, NetworkSocket)  # noqa: S101 - `start` has no type for what it is told
        return socket

    async def _serve(self, path: str, task_status: trio.TaskStatus[NetworkSocket | LineLost]) -> None:
        """Holds the connection. Whatever trio-websocket's tasks raise ends here, because the server caused it."""
        told = False
        try:
            async with self._stream() as stream, trio.open_nursery() as nursery:
                with trio.fail_after(ANSWER_WITHIN_S):
                    connection = await wrap_client_stream(
                        nursery, stream, self._parts.netloc, self._parts.path + path, message_queue_size=MESSAGES
                    )
                socket, told = NetworkSocket(connection), True
                task_status.started(socket)
                try:
                    await socket.given_up.wait()
                    with trio.move_on_after(CLOSE_WITHIN_S):
                        await connection.aclose()
                    nursery.cancel_scope.cancel()
                finally:
                    socket.gone.set()
        except Exception as error:  # noqa: BLE001 - a border: foreign errors, alone or in groups
            if not told:
                task_status.started(_refusal(error))

    @asynccontextmanager
    async def _stream(self) -> AsyncIterator[TcpOrTls]:
        """Ours and not trio-websocket's, which leaves it open when the server was first to close."""
        host, tls = self._parts.hostname or "", self._parts.scheme == "https"
        port = self._parts.port or (443 if tls else 80)
        opening = partial(trio.open_ssl_over_tcp_stream, ssl_context=self._tls) if tls else trio.open_tcp_stream
        with trio.fail_after(ANSWER_WITHIN_S):
            stream: TcpOrTls = await opening(host, port)
        try:
            yield stream
        finally:
            await trio.aclose_forcefully(stream)


class NetworkSocket:
    """A WebSocket that is open."""

    def __init__(self, connection: WebSocketConnection) -> None:
        self._connection = connection
        self.given_up = trio.Event()
        self.gone = trio.Event()

    async def send(self, text: str) -> None:
        """As `Socket` has it."""
        try:
            await self._connection.send_message(text)
        except ConnectionClosed as error:
            raise _lost(error) from error

    async def receive(self) -> str:
        """As `Socket` has it."""
        try:
            message = await self._connection.get_message()
        except ConnectionClosed as error:
            raise _lost(error) from error
        return message if isinstance(message, str) else ""

    async def aclose(self) -> None:
        """As `Socket` has it."""
        self.given_up.set()
        await self.gone.wait()


def _lost(error: ConnectionClosed) -> LineLost:
    return LineLost() if error.reason is None else closed_with(error.reason.code, error.reason.reason)


def closed_with(code: int, reason: str | None) -> LineLost:
    """What the code and the reason of a close frame say."""
    told = (reason or "").partition("retryAfter=")[2]
    return LineLost(code, seconds(told) if code == RENEWED else None)


def _refusal(error: Exception) -> LineLost:
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        (error,) = error.exceptions
    if isinstance(error, ConnectionRejected):
        headers = {name.lower(): value for name, value in error.headers}
        return LineLost(retry_after_s=seconds(headers.get(b"retry-after", b"").decode("latin-1")))
    return LineLost()


def _parsed(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except (ValueError, RecursionError):
        return None
