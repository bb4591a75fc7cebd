"""One server of two workers over stores of our own, each behind a bad network, and those who play and watch."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import psutil
import trio

from tests.faults.clock import POSTGRES, VALKEY, SteppedClock
from tests.faults.guests import Guest, appointed
from tests.faults.journal import Journal
from tests.faults.leavers import Leaver
from tests.faults.line import Cut, Line
from tests.faults.load import Load
from tests.faults.periods import Periods
from tests.faults.players import Player, registered
from tests.faults.proxy import Proxy, proxied
from tests.faults.purging import EVERY_S, begin_to_write_down
from tests.faults.spectators import (
    EventStreamSpectator,
    PollingSpectator,
    SocketIoSpectator,
    Spectator,
    WebSocketSpectator,
)
from tests.faults.stores import (
    SmallDisk,
    StoreProcess,
    postgres_process,
    rows_of,
    small_disk,
    spare_process,
    valkey_process,
)
from tests.faults.truth import DAILY, MONTHLY, TOP, WEEKLY
from tests.faults.zone import DAY_S, offset_that_ends, zone_that_ends
from tests.served import CHEAP_PASSWORDS, ServedScoreboard, start_scoreboard

WORKERS = 2
PLAYERS = 12
SPECTATORS = 8
#: What they watch, by turns.
WATCHED = ((TOP, DAILY), (TOP, DAILY, WEEKLY), (TOP, DAILY, MONTHLY))
ZONE = "Ours"
#: What is worth how much in a batch.
KINDS = {"INCREMENT": 1, "FIND_GEM": 7}
READY_WITHIN_S = 60.0
#: So long after its end a period is in the archive; where a clock was set, it may be so much later that one looks.
ARCHIVED_WITHIN_S, KEEPER_LOOKS_S = 10.0, 65.0
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
    "SCOREBOARD_KEYS_SETTLE_S": "20",  # longer than any worker stands still
    "SCOREBOARD_STORES_CLEAN_S": str(EVERY_S),
    "SCOREBOARD_SOCKETIO_PING_INTERVAL_S": "2",
    "SCOREBOARD_BOARDS_DAILY_ZONE": ZONE,
    "SCOREBOARD_BOARDS_WEEKLY_ZONE": ZONE,
    "SCOREBOARD_BOARDS_MONTHLY_ZONE": ZONE,
}
#: What is made without a stepped clock (the token of a service) is so old already, and no clock is set back as far.
BEGIN_S = 2 * DAY_S


@dataclass(slots=True)
class Stage:
    """All of it. `periods` are those of its boards; the first day ends soon. `undisturbed`: one thing alone happens.

    `postgres` is the primary and `spare` the place of the next one; `waits_for_spare`: it may be told to wait for it.
    """

    folder: Path
    rng: Random
    postgres: StoreProcess
    spare: StoreProcess
    valkey: StoreProcess
    to_postgres: Proxy
    to_spare: Proxy
    to_valkey: Proxy
    disk: SmallDisk
    clock: SteppedClock
    server: ServedScoreboard
    journal: Journal
    periods: Periods
    load: Load | None = None
    undisturbed: bool = False
    waits_for_spare: bool = False
    _moments: list[tuple[float, float]] = field(default_factory=list)
    _seats: dict[int, str] = field(default_factory=dict)
    players: tuple[Player, ...] = ()
    service: str = ""
    warden: Player | None = None
    guests: list[Guest] = field(default_factory=list)
    leavers: list[Leaver] = field(default_factory=list)
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

    def ports_of(self, number: int, proxy: Proxy) -> frozenset[int]:
        """From where this worker is connected to that proxy, now."""
        pid = self.worker_pids().get(number)
        if pid is None:
            return frozenset()
        try:
            found = psutil.Process(pid).net_connections("tcp4")
        except psutil.Error:
            return frozenset()
        return frozenset(each.laddr.port for each in found if each.raddr and each.raddr.port == proxy.address[1])

    def url_of(self, database: str) -> str:
        """Of a database of this name, through the network."""
        return f"postgresql://postgres@127.0.0.1:{self.to_postgres.address[1]}/{database}"

    @property
    def redis_url(self) -> str:
        """Of Valkey, through the network."""
        return f"redis://127.0.0.1:{self.to_valkey.address[1]}/0"

    def change_places(self) -> StoreProcess:
        """The spare one is the primary from now on; returns which was that before."""
        self.postgres, self.spare = self.spare, self.postgres
        self.to_postgres, self.to_spare = self.to_spare, self.to_postgres
        return self.spare

    def hurry(self, times: float) -> None:
        """Whoever writes is so many times as quick as usual."""
        if self.load is not None:
            self.load.hurry = times

    def room_behind(self, step_s: int) -> int:
        """That step of the clock of Postgres; back only as far as the present day has gone by."""
        now_us = int(self.clock.now_s() * 1_000_000)
        gone_s = (now_us - self.periods.holding("DAILY", now_us).start_us) // 1_000_000
        return max(step_s, -gone_s // 2)

    def remember_now(self) -> None:
        """What time it is: some later the archive has to have all that is over by then."""
        self._moments.append((trio.current_time(), self.clock.now_s()))

    @property
    def archive_patience_s(self) -> float:
        """How long after its end a period may come into the archive."""
        return ARCHIVED_WITHIN_S + KEEPER_LOOKS_S * self.clock.was_set

    def archived_before_us(self) -> int:
        """What ended before that moment must be in the archive by now."""
        if not self.clock.was_set:
            return int((self.clock.now_s() - ARCHIVED_WITHIN_S) * 1_000_000)
        long_ago = trio.current_time() - self.archive_patience_s
        return max((int(now_s * 1_000_000) for at, now_s in self._moments if at < long_ago), default=0)

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
        """A connection that this worker has accepted: the id of a session of Socket.IO says on which seat it sits."""
        passed: list[Line] = []
        try:
            while True:
                with suppress(Cut):
                    line = await Line.to(self.server.port)
                    told = await line.ask("GET", "/socket.io/?EIO=4&transport=polling")
                    if told.status == 200 and self._sits(number, json.loads(told.body[1:])["sid"][:2], line):
                        return line
                    passed.append(line)
                await trio.sleep(0.05)
        finally:
            for each in passed:
                each.hang_up()

    def _sits(self, number: int, seat: str, line: Line) -> bool:
        """Whether that is this worker's seat, on which the line is. Who was renewed has another one."""
        pid = self.worker_pids().get(number)
        if pid is None:
            return False
        if pid not in self._seats:
            with suppress(psutil.Error):
                if any(
                    each.raddr and each.raddr.port == line.port for each in psutil.Process(pid).net_connections("tcp4")
                ):
                    self._seats[pid] = seat
        return self._seats.get(pid) == seat

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
    clock, journal = SteppedClock(folder, BEGIN_S), Journal(folder / "journal.jsonl")
    day_ends_s = int(clock.now_s()) + day_s
    zone_that_ends(folder / "zones", ZONE, day_ends_s)
    periods = Periods(offset_that_ends(day_ends_s))
    with small_disk(folder / "disk") as disk:
        async with (
            postgres_process(disk.folder, clock.environ(POSTGRES)) as postgres,
            spare_process(disk.folder, clock.environ(POSTGRES)) as spare,
            valkey_process(folder, clock.environ(VALKEY)) as valkey,
            proxied(str(postgres.socket)) as to_postgres,
            proxied(str(spare.socket)) as to_spare,
            proxied(str(valkey.socket)) as to_valkey,
        ):
            server = _server(folder, (to_postgres, to_spare), to_valkey, clock)
            stores = (postgres, spare, valkey, to_postgres, to_spare, to_valkey)
            stage = Stage(folder, Random(seed), *stores, disk, clock, server, journal, periods)
            async with _running(stage):
                yield stage
    journal.close()


def _server(folder: Path, to_postgres: Sequence[Proxy], to_valkey: Proxy, clock: SteppedClock) -> ServedScoreboard:
    words, hosts = ["--workers", str(WORKERS)], ",".join(f"127.0.0.1:{proxy.address[1]}" for proxy in to_postgres)
    words += ["--postgres", f"postgresql://postgres@{hosts}/scoreboard"]
    words += ["--redis", f"redis://127.0.0.1:{to_valkey.address[1]}/0"]
    environ = {**ENVIRON, **clock.environ(), "PYTHONTZPATH": str(folder / "zones")}
    return ServedScoreboard(folder / "data", *words, limits="on", environ=environ)


@asynccontextmanager
async def _running(stage: Stage) -> AsyncIterator[None]:
    try:
        await stage.start_server()
        await begin_to_write_down(stage.postgres)
        async with trio.open_nursery() as nursery:
            for beginning in (_register, _add_action, _add_service):
                nursery.start_soon(beginning, stage)
        kinds = [WebSocketSpectator, EventStreamSpectator, SocketIoSpectator, PollingSpectator]
        stage.spectators = tuple(
            kinds[at % 4](f"spectator {at}", stage.server.port, WATCHED[at % 3], stage.journal, Random(at))
            for at in range(SPECTATORS)
        )
        async with trio.open_nursery() as nursery:
            for spectator in stage.spectators:
                nursery.start_soon(spectator.watch)
            yield
            nursery.cancel_scope.cancel()
    finally:
        with trio.CancelScope(shield=True):
            for proxy in (stage.to_postgres, stage.to_spare, stage.to_valkey):
                proxy.heal()
            await trio.to_thread.run_sync(partial(_see_off, stage))


def _see_off(stage: Stage) -> None:
    for pid in stage.worker_pids().values():
        with suppress(psutil.Error):
            psutil.Process(pid).resume()
    stage.server.kill()


async def _register(stage: Stage) -> None:
    line = await Line.to(stage.server.port)
    stage.players = tuple([await registered(line, f"player{number:02}") for number in range(PLAYERS)])
    stage.warden = await appointed(line, stage.postgres)
    for player in stage.players:
        player.since_s = stage.clock.true_s()
    line.hang_up()


async def _add_action(stage: Stage) -> None:
    """As `scoreboard action add` does, which takes longer."""
    await rows_of(
        stage.postgres, f"INSERT INTO actions (action_type, base_points) VALUES ('FIND_GEM', {KINDS['FIND_GEM']})"
    )


async def _add_service(stage: Stage) -> None:
    stage.service = await trio.to_thread.run_sync(_say, stage, "service", "add", "arena", "--days", "3650")


def _say(stage: Stage, *words: str) -> str:
    """What a verb of the command line prints."""
    path = stage.folder / f"told of {words[0]}"
    where = ["--data", str(stage.server.data)]
    with path.open("wb") as file:
        process = start_scoreboard([*words, *where], file.fileno())
        assert process.wait(60) == 0, path.read_text()
    return path.read_text().splitlines()[0].strip()
