"""The port of a server: taking it, and what to put into a browser."""

from __future__ import annotations

import errno
from collections.abc import Sequence

import trio

from scoreboard.server.crew.listener import SharedListener


async def open_port(host: str, port: int) -> list[trio.SocketListener]:
    """Listen there, on every address that the host has; raises OSError with a sentence."""
    try:
        return await trio.open_tcp_listeners(port, host=host)
    except OSError as error:
        remedy = "; end who listens there, or name another with --port" if error.errno == errno.EADDRINUSE else ""
        raise OSError(f"cannot listen on {host}, port {port}: {error.strerror or error}{remedy}") from error


async def require_free(host: str, port: int) -> None:
    """A taken port is told before all else; raises as `open_port`."""
    for listener in await open_port(host, port):
        await listener.aclose()


def port_of(listeners: Sequence[trio.SocketListener | SharedListener]) -> int:
    """The number of an open port."""
    number: int = listeners[0].socket.getsockname()[1]
    return number


def url_of(host: str, port: int, *, secure: bool = False) -> str:
    """What to put into a browser."""
    scheme = "https" if secure else "http"
    return f"{scheme}://[{host}]:{port}/" if ":" in host else f"{scheme}://{host}:{port}/"
