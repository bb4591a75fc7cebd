"""One process that serves, from its start to its end: the only one, or one of several workers."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import msgspec
import trio

from actors.leaderboard.messages import Loaded
from actors.ports import ALL_TIME
from actors.runtime import ActorError
from scoreboard.observe.logs import Logger
from scoreboard.server import allocator, collector, descriptors, intake
from scoreboard.server.compose import Server, serve
from scoreboard.server.crew.sockets import socket_home
from scoreboard.server.ending import obey_signals, signals_to_end, status_of
from scoreboard.server.housekeeping import BOARD_LOAD_S
from scoreboard.server.operating.desk import Desk
from scoreboard.server.operating.operated import Alone
from scoreboard.server.place import Place
from scoreboard.server.port import url_of
from scoreboard.settings import Settings
from scoreboard.stores.embedded_errors import DataDirectoryBusy


def run_process(settings: Settings, log: Logger, place: Place | None = None) -> int:
    """Serve until told to stop; the exit status. Of several workers each has a `place`."""
    room = descriptors.prepare(settings.door.connections, log)
    settings = msgspec.structs.replace(settings, door=msgspec.structs.replace(settings.door, connections=room))
    collector.begin()
    run = partial(trio.run, _serve_until_told, settings, log, place)
    return status_of(run, log) if place is None else status_of(run, log, place.line.last_words)


async def _serve_until_told(settings: Settings, log: Logger, place: Place | None) -> None:
    """Serve; the first signal lets everything end in good order, the second at once."""
    work = collector.Work()
    ports = intake.Ports()
    intake.take_in_portions(taken=lambda _: work.turn(), came=ports.came)
    with trio.open_signal_receiver(*signals_to_end()) as signals:
        async with trio.open_nursery() as nursery:
            ways_to_stop: list[Callable[[], None]] = [nursery.cancel_scope.cancel]

            async def serve_to_the_end(*, task_status: trio.TaskStatus[Server]) -> None:
                await serve(settings, log, place=place, task_status=task_status)
                nursery.cancel_scope.cancel()

            nursery.start_soon(obey_signals, signals, ways_to_stop, nursery, log)
            if place is not None:
                nursery.start_soon(place.line.beat)
            server = await nursery.start(serve_to_the_end)
            ports.know(server.port)  # whoever stands there in a crowd at the start is accepted without being waited for
            ways_to_stop.append(server.close)
            nursery.start_soon(_collect_garbage, server, log)
            nursery.start_soon(work.collect)
            nursery.start_soon(_give_memory_back, server, log)
            if place is None:
                nursery.start_soon(_hear_operator, settings, server, log)


def _whole(settings: Settings, server: Server) -> dict[str, str]:
    door = settings.door
    url = url_of(door.host, server.port, secure=door.certificate is not None)
    return {"url": url, "data": os.path.realpath(settings.data_dir)}


async def _hear_operator(settings: Settings, server: Server, log: Logger) -> None:
    """Of several workers the parent does."""
    desk = Desk(log)
    Alone(server.operated, desk, _whole(settings, server))
    try:
        with socket_home(Path(settings.data_dir)) as sockets:
            async with desk.open_in(sockets):
                await trio.sleep_forever()
    except (DataDirectoryBusy, OSError) as error:
        log.warning("no_desk_for_operators", reason=str(error), meaning="scoreboard status and its like do not work")


async def _collect_garbage(server: Server, log: Logger) -> None:
    """Once the board is loaded: whose players the collector need never look at."""
    with suppress(ActorError):
        await server.core.boards.ask(ALL_TIME, Loaded(), within=BOARD_LOAD_S)
    await collector.keep_small(server.connections, log)


async def _give_memory_back(server: Server, log: Logger) -> None:
    """Behind crowds that have left."""
    await allocator.give_back(server.connections, collector.resident_bytes, log, allocator.releaser())
