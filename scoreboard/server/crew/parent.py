"""The parent of several workers: has the stores, the port and the processes, and serves nobody itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import trio

from scoreboard.observe.logs import Logger
from scoreboard.security.personal import PersonalVault
from scoreboard.server.crew.crew import Crew
from scoreboard.server.crew.line import Orders
from scoreboard.server.crew.process import WorkerProcess
from scoreboard.server.crew.sockets import socket_home
from scoreboard.server.crew.tally import Tally
from scoreboard.server.embedding import embed_stores
from scoreboard.server.encryption import open_tls
from scoreboard.server.ending import STOP_WITHIN_S, obey_signals, signals_to_end, status_of
from scoreboard.server.fraud import fraud_rules
from scoreboard.server.keychain import Keychain, open_keys
from scoreboard.server.operating.desk import Desk
from scoreboard.server.operating.parental import Parental
from scoreboard.server.operating.renewal import Recipe, program
from scoreboard.server.port import open_port, port_of, require_free, url_of
from scoreboard.server.process_log import silence_of
from scoreboard.settings import Settings
from scoreboard.stores.opening import bring_up_to_date
from scoreboard.stores.postgres_connections import Bounds

#: The parent waits for its workers, who have their own time; only then for the stores.
PATIENCE_S = STOP_WITHIN_S - 0.5


def run_parent(settings: Settings, log: Logger, options: Mapping[str, object]) -> int:
    """Serve with several workers until told to stop; the exit status. `options` are those of the command line."""
    return status_of(partial(trio.run, _serve_until_told, settings, log, options), log)


async def _serve_until_told(settings: Settings, log: Logger, options: Mapping[str, object]) -> None:
    with trio.open_signal_receiver(*signals_to_end()) as signals:
        async with trio.open_nursery() as nursery:
            ways_to_stop: list[Callable[[], None]] = [nursery.cancel_scope.cancel]
            nursery.start_soon(partial(obey_signals, signals, ways_to_stop, nursery, log, orderly_within_s=PATIENCE_S))
            await _serve(settings, log, options, ways_to_stop)
            nursery.cancel_scope.cancel()


async def _serve(
    settings: Settings, log: Logger, options: Mapping[str, object], ways_to_stop: list[Callable[[], None]]
) -> None:
    """What can go wrong for good goes wrong here, before there is any worker."""
    await require_free(settings.door.host, settings.door.port)
    keys = await open_keys(settings, log)
    fraud_rules(settings, keys.live.now().refresh_key)
    await open_tls(settings.door)
    async with AsyncExitStack() as scopes:
        sockets = scopes.enter_context(socket_home(Path(settings.data_dir)))
        port = SharedPort(settings, log)
        scopes.callback(port.close)
        desk, started = Desk(log), settings
        parental = Parental(desk, sockets, partial(_whole, settings, port, log))
        await scopes.enter_async_context(desk.open_in(sockets))
        settings = await embed_stores(scopes, settings, log)
        with keys.fits():
            await _migrate(settings, keys, log)

        recipe = Recipe(started, settings, options, log)

        def start(number: int, seat: int) -> WorkerProcess:
            own, there = recipe.settings, str(sockets)
            told = Orders(seat=seat, worker=number, count=settings.workers, sockets=there, settings=own)
            return WorkerProcess(told, [*program(), "worker"])

        crew = Crew(settings.workers, start, port.listening, log, seating=Tally.made_in(sockets))
        parental.has(crew, recipe, port.close)
        ways_to_stop += [crew.stop, partial(_stop, crew, port)]
        await crew.run()
        log.info("stopping")


def _whole(settings: Settings, port: SharedPort, log: Logger) -> dict[str, Any]:
    silence = silence_of(log)
    return {
        "url": port.url,
        "data": os.path.realpath(settings.data_dir),
        "wanted": settings.workers,
        "troubles": [] if silence is None else [silence],
    }


def _stop(crew: Crew, port: SharedPort) -> None:
    port.close()
    crew.stop()


class SharedPort:
    """The listening sockets that all workers accept from; the parent itself never does.

    They are one queue for all: who is busy, stopped or dead takes nothing out of it, and nothing in it is lost with a
    worker. With a socket for each (SO_REUSEPORT) the kernel would give each its share whether it comes for it or not.
    """

    def __init__(self, settings: Settings, log: Logger) -> None:
        self._settings = settings
        self._log = log
        self._listeners: list[trio.SocketListener] = []
        self.url: str | None = None  # until it is open

    def __repr__(self) -> str:
        return f"<SharedPort {'open' if self._listeners else 'closed'}>"

    async def listening(self) -> list[int]:
        """Their descriptors; opened when somebody first asks, who is ready to accept. Raises OSError."""
        if not self._listeners:
            door = self._settings.door
            self._listeners = await open_port(door.host, door.port)
            self.url = url_of(door.host, port_of(self._listeners), secure=door.certificate is not None)
            self._log.info("listening", url=self.url, workers=self._settings.workers)
        return [each.socket.fileno() for each in self._listeners]

    def close(self) -> None:
        """Accept no more; who was not accepted yet is refused when the last worker has closed it too."""
        for each in self._listeners:
            each.socket.close()


async def _migrate(settings: Settings, keys: Keychain, log: Logger) -> None:
    """Once, and not by all workers at once. Raises StoreError, MigrationError, KeyDoesNotOpen."""
    wanted = settings.stores
    bounds = Bounds(connect_s=wanted.connect_within_s, command_s=wanted.command_within_s)
    vault = PersonalVault(lambda: keys.live.now().master_keys)
    found = await bring_up_to_date(wanted.postgres_url or "", vault, bounds)
    if found.migrations:
        log.info("migrated", files=found.migrations)
    needed = (settings.workers + 1) * wanted.postgres_connections  # while one takes another one's place
    if found.connections < needed:
        remedy = "raise max_connections, or lower SCOREBOARD_STORES_POSTGRES_CONNECTIONS, which each worker has"
        log.warning("few_postgres_connections", allowed=found.connections, wanted=needed, remedy=remedy)
