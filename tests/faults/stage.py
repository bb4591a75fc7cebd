"""One server of two workers over stores of our own, each behind a bad network, and those who play and watch."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import psutil
import trio

from tests.faults.clock import SteppedClock
from tests.faults.journal import Journal
from tests.faults.line import Cut, Line
from tests.faults.proxy import Proxy, proxied
from tests.faults.spectators import EventStreamSpectator, Spectator, WebSocketSpectator
from tests.faults.stores import SmallDisk, StoreProcess, postgres_process, small_disk, valkey_process
from tests.faults.truth import DAILY, TOP
from tests.faults.writers import Player
from tests.faults.zone import zone_that_ends
from tests.served import CHEAP_PASSWORDS, ServedScoreboard, start_scoreboard

WORKERS = 2
PLAYERS = 12
SPECTATORS = 6
ZONE = "Ours"
#: What is worth how much in a batch.
KINDS = {"INCREMENT": 1, "FIND_GEM": 7}
READY_WITHIN_S = 60.0
#: A limit that honest writers stay under by half, so that a window that never ends is noticed.
ENVIRON = {
    **CHEAP_PASSWORDS,
    "SCOREBOARD_BOARD_TICK_S": "0.2",
    "SCOREBOARD_BOARD_PING_S": "2",
    "SCOREBOARD_STORES_CONNECT_WITHIN_S": "2",
    "SCOREBOARD_STORES_COMMAND_WITHIN_S": "3",
    "SCOREBOARD_LIMITS_TOKENS_PER_MINUTE": "900",
    "SCOREBOARD_LIMITS_INCREMENTS_PER_MINUTE": "900",
    "SCOREBOARD_LIMITS_REQUESTS_PER_MINUTE_PER_ADDRESS": "60000",
    "SCOREBOARD_LIMITS_REQUESTS_PER_MINUTE": "60000",
    "SCOREBOARD_LIMITS_REGISTRATIONS_PER_MINUTE_PER_ADDRESS": "1000",
    "SCOREBOARD_FRAUD_ENABLED": "off",
    "SCOREBOARD_BOARDS_DAILY_ZONE": ZONE,
}


@dataclass(slots=True)
class Stage:
    """All of it. `day_ends_s` is when the daily board begins anew, by the clock on the wall."""

    folder: Path
    rng: Random
    postgres: StoreProcess
    valkey: StoreProcess
    to_postgres: Proxy
    to_valkey: Proxy
    disk: SmallDisk
    clock: SteppedClock
    server: ServedScoreboard
    journal: Journal
    day_ends_s: int
    players: tuple[Player, ...] = ()
    service: str = ""
    spectators: tuple[Spectator, ...] = ()

    def worker_pids(self) -> dict[int, int]:
        """The processes of the workers, by their numbers."""
        found: dict[int, int] = {}
        if self.server.process is None:
            return found
        with suppress(psutil.Error):
            for child in psutil.Process(self.server.process.pid).children():
                with suppress(psutil.Error):
                    words = child.cmdline()
                    if words[-2:-1] == ["worker"]:
                        found[int(words[-1])] = child.pid
        return found

    async def ready(self) -> None:
        """Both workers have the port, and say that they can serve."""
        with trio.fail_after(READY_WITHIN_S):
            for number in range(1, WORKERS + 1):
                line = await self.line_to(number)
                try:
                    while (await line.ask("GET", "/ready")).status != 200:  # noqa: ASYNC110 - nobody tells
                        await trio.sleep(0.05)
                except Cut:
                    await line_gone(line)
                    return await self.ready()
                line.hang_up()
        return None

    async def line_to(self, number: int) -> Line:
        """A connection that this worker has accepted: the id of a session of Socket.IO says whose it is."""
        passed: list[Line] = []
        try:
            while True:
                with suppress(Cut):
                    line = await Line.to(self.server.port)
                    told = await line.ask("GET", "/socket.io/?EIO=4&transport=polling")
                    if told.status == 200 and f'"sid":"{number:02}' in told.body.decode():
                        return line
                    passed.append(line)
                await trio.sleep(0.05)
        finally:
            for each in passed:
                each.hang_up()

    async def start_server(self) -> None:
        """Start it; ready when this returns."""
        await trio.to_thread.run_sync(self.server.start)

    async def end_server(self, how: str) -> None:
        """`stop` it, or `kill` its parent."""
        await trio.to_thread.run_sync(getattr(self.server, how))

    def log(self) -> list[dict[str, Any]]:
        """All lines of its log."""
        return [json.loads(line) for line in self.server.log.read_text().splitlines() if line.startswith("{")]


async def line_gone(line: Line) -> None:
    """Somebody ended it; a moment later another one may do."""
    line.hang_up()
    await trio.sleep(0.1)


@asynccontextmanager
async def open_stage(folder: Path, seed: int, day_s: int) -> AsyncIterator[Stage]:
    """Started, with players who have signed up and spectators who watch. The day ends `day_s` later."""
    day_ends_s = int(time.time()) + day_s
    zone_that_ends(folder / "zones", ZONE, day_ends_s)
    clock, journal = SteppedClock(folder), Journal(folder / "journal.jsonl")
    rng = Random(seed)
    with small_disk(folder / "disk") as disk:
        async with postgres_process(disk.folder) as postgres, valkey_process(folder, clock.environ) as valkey:
            async with proxied(str(postgres.socket)) as to_postgres, proxied(str(valkey.socket)) as to_valkey:
                server = _server(folder, to_postgres, to_valkey, clock)
                stage = Stage(
                    folder, rng, postgres, valkey, to_postgres, to_valkey, disk, clock, server, journal, day_ends_s
                )
                async with _running(stage):
                    yield stage
    journal.close()


def _server(folder: Path, to_postgres: Proxy, to_valkey: Proxy, clock: SteppedClock) -> ServedScoreboard:
    words = ["--workers", str(WORKERS)]
    words += ["--postgres", f"postgresql://postgres@127.0.0.1:{to_postgres.address[1]}/scoreboard"]
    words += ["--redis", f"redis://127.0.0.1:{to_valkey.address[1]}/0"]
    environ = {**ENVIRON, **clock.environ, "PYTHONTZPATH": str(folder / "zones")}
    return ServedScoreboard(folder / "data", *words, limits="on", environ=environ)


@asynccontextmanager
async def _running(stage: Stage) -> AsyncIterator[None]:
    try:
        await stage.start_server()
        await _register(stage)
        await trio.to_thread.run_sync(_say, stage, "action", "add", "FIND_GEM", "--points", str(KINDS["FIND_GEM"]))
        stage.service = await trio.to_thread.run_sync(_say, stage, "service", "add", "arena")
        channels = (TOP, DAILY)
        kinds = [WebSocketSpectator, EventStreamSpectator]
        stage.spectators = tuple(
            kinds[at % 2](f"spectator {at}", stage.server.port, channels, stage.journal, Random(at))
            for at in range(SPECTATORS)
        )
        async with trio.open_nursery() as nursery:
            for spectator in stage.spectators:
                nursery.start_soon(spectator.watch)
            yield
            nursery.cancel_scope.cancel()
    finally:
        with trio.CancelScope(shield=True):
            stage.to_postgres.heal()
            stage.to_valkey.heal()
            await trio.to_thread.run_sync(partial(_see_off, stage))


def _see_off(stage: Stage) -> None:
    for pid in stage.worker_pids().values():
        with suppress(psutil.Error):
            psutil.Process(pid).resume()
    stage.server.kill()


async def _register(stage: Stage) -> None:
    line = await Line.to(stage.server.port)
    players = []
    for number in range(PLAYERS):
        name = f"player{number:02}"
        body = {"username": name, "email": f"{name}@example.com", "password": f"{name}-Passw0rd!"}
        answer = await line.ask("POST", "/api/auth/register", body)
        assert answer.status == 201, answer
        told = answer.json()
        players.append(Player(told["userId"], name, told["accessToken"]))
    line.hang_up()
    stage.players = tuple(players)


def _say(stage: Stage, *words: str) -> str:
    """What a verb of the command line prints."""
    path = stage.folder / "told"
    where = ["--data", str(stage.server.data)]
    if words[0] == "action":
        where += ["--postgres", f"postgresql://postgres@127.0.0.1:{stage.to_postgres.address[1]}/scoreboard"]
    with path.open("wb") as file:
        process = start_scoreboard([*words, *where], file.fileno())
        assert process.wait(60) == 0, path.read_text()
    return path.read_text().splitlines()[0].strip()
