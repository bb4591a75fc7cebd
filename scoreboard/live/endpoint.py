"""The socket under a stream of the live feed, used past Trio's streams: one system call a frame, no task switch."""

from __future__ import annotations

import socket
from collections.abc import Awaitable
from typing import Protocol, runtime_checkable

import trio


class Endpoint(Protocol):
    """What of a non-blocking socket matters here; one of the standard library, or one that encrypts.

    A `send` that takes only a part of its bytes must be followed by one with the rest.
    """

    def send(self, data: bytes, /) -> int:
        """As a socket's: raises BlockingIOError if it can take nothing, OSError at the end."""
        ...

    def recv(self, most: int, /) -> bytes:
        """As a socket's: raises BlockingIOError if nothing has come, OSError if the connection is lost."""
        ...

    def fileno(self) -> int:
        """The descriptor, to wait for."""
        ...

    def getpeername(self) -> tuple[str, int]:
        """As a socket's."""
        ...

    def setsockopt(self, level: int, option: int, value: int, /) -> None:
        """As a socket's."""
        ...

    def getsockopt(self, level: int, option: int, length: int, /) -> bytes:
        """As a socket's."""
        ...

    def shutdown(self, how: int, /) -> None:
        """As a socket's."""
        ...


@runtime_checkable
class OverEndpoint(Protocol):
    """A stream that is no `trio.SocketStream` and has an endpoint all the same."""

    @property
    def socket(self) -> Endpoint:
        """The endpoint, which stays the stream's too."""
        ...


def endpoint_of(stream: trio.abc.Stream) -> Endpoint | None:
    """What is under the stream; None if that is no socket.

    Of a socket's stream the Trio socket is replaced by one round the object that is returned.
    """
    if isinstance(stream, trio.SocketStream):
        shared = socket.socket(fileno=stream.socket.detach())
        stream.socket = trio.socket.from_stdlib_socket(shared)
        return shared
    return stream.socket if isinstance(stream, OverEndpoint) else None


def readable(endpoint: Endpoint) -> Awaitable[None]:
    """Wait until `received` has something to say. Lets other tasks run in every case.

    No coroutine of its own: thousands of clients wait here, each with all frames that lead here.
    """
    if getattr(endpoint, "has_more", False):  # decrypted already, so the descriptor says nothing of it
        return trio.lowlevel.checkpoint()  # noqa: ASYNC105 - who asked awaits it
    return trio.lowlevel.wait_readable(endpoint)  # noqa: ASYNC105


def received(endpoint: Endpoint, most: int) -> bytes | None:
    """What has come: None while nothing has, empty at the end.

    Raises:
        trio.BrokenResourceError: the connection is lost.
    """
    try:
        return endpoint.recv(most)
    except BlockingIOError:
        return None
    except OSError as error:
        raise trio.BrokenResourceError(f"socket connection broken: {error}") from error
