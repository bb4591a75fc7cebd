"""What goes wrong, drawn from a seed: which faults, of whom, when and for how long."""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from random import Random

import trio

from tests.faults.proxy import Proxy
from tests.faults.stage import Stage
from tests.faults.stores import StoreProcess, valkey_says

Fault = Callable[[Stage, Random, float], Awaitable[None]]
#: Of a store that is to be gone, so long it stays so at least.
GONE_S = 0.5


@dataclass(frozen=True, slots=True)
class Step:
    """One fault of a round: after so many seconds, for so many."""

    name: str
    after_s: float
    for_s: float

    def __str__(self) -> str:
        return f"{self.name} at {self.after_s:.1f} s for {self.for_s:.1f} s"


def drawn(rng: Random, names: list[str], length_s: float) -> list[Step]:
    """The faults of one round: one, or two that overlap."""
    count = 2 if rng.random() < 0.4 else 1
    chosen = rng.sample(names, min(count, len(names)))
    return [Step(name, rng.uniform(0.2, length_s / 3), rng.uniform(0.5, length_s * 2 / 3)) for name in chosen]


async def strike(stage: Stage, steps: list[Step]) -> None:
    """Let all of them happen; then nothing is wrong any more, but for what has to recover."""
    async with trio.open_nursery() as nursery:
        for step in steps:
            nursery.start_soon(_strike_one, stage, step)
    await heal(stage)


async def _strike_one(stage: Stage, step: Step) -> None:
    await trio.sleep(step.after_s)
    stage.journal.note("fault", name=step.name, seconds=round(step.for_s, 2))
    await FAULTS[step.name](stage, Random(str(step)), step.for_s)
    stage.journal.note("fault is over", name=step.name)


async def heal(stage: Stage) -> None:
    """Everything is as it should be: the network, the disk, the clock, and all that should run runs."""
    for proxy in (stage.to_postgres, stage.to_valkey):
        proxy.heal()
    stage.disk.free()
    if stage.clock.why_not is None:
        stage.clock.set(0)
    for pid in stage.worker_pids().values():
        _tell(pid, signal.SIGCONT)
    for store in (stage.postgres, stage.valkey):
        store.tell(signal.SIGCONT)
        await store.start()
    if stage.server.process is None or stage.server.process.poll() is not None:
        stage.journal.note("server starts again")
        stage.server.process = None
        await stage.start_server()


def impossible(stage: Stage) -> dict[str, str]:
    """Faults that cannot be made to happen here, and why."""
    why = {"the disk full": stage.disk.why_not, "the clock stepped": stage.clock.why_not}
    found = {name: reason for name in FAULTS for mark, reason in why.items() if mark in name and reason is not None}
    return dict(sorted(found.items()))


# --- workers and their parent ---


def _tell(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


async def _kill_a_worker(stage: Stage, rng: Random, seconds: float) -> None:
    await _tell_some(stage, rng, 1, signal.SIGKILL)
    await trio.sleep(seconds)


async def _kill_all_workers(stage: Stage, rng: Random, seconds: float) -> None:
    await _tell_some(stage, rng, 2, signal.SIGKILL)
    await trio.sleep(seconds)


async def _pause_a_worker(stage: Stage, rng: Random, seconds: float) -> None:
    paused = await _tell_some(stage, rng, 1, signal.SIGSTOP)
    await trio.sleep(seconds)
    for pid in paused:
        _tell(pid, signal.SIGCONT)


async def _restart_a_worker(stage: Stage, rng: Random, seconds: float) -> None:
    await _tell_some(stage, rng, 1, signal.SIGTERM)
    await trio.sleep(seconds)


async def _tell_some(stage: Stage, rng: Random, count: int, number: signal.Signals) -> list[int]:
    pids = list(stage.worker_pids().values())
    chosen = rng.sample(pids, min(count, len(pids)))
    for pid in chosen:
        _tell(pid, number)
    return chosen


async def _kill_the_parent(stage: Stage, _: Random, seconds: float) -> None:
    await stage.end_server("kill")
    await trio.sleep(min(seconds, 1.0))


async def _restart_the_server(stage: Stage, _: Random, seconds: float) -> None:
    process = stage.server.process
    if process is None:
        return
    process.send_signal(signal.SIGTERM)
    with trio.move_on_after(15):
        while process.poll() is None:  # noqa: ASYNC110 - nobody tells
            await trio.sleep(0.05)
    if process.poll() != 0:
        stage.journal.wonder(f"told to end, the server ended with {process.poll()}")
    await trio.sleep(min(seconds, 1.0))


# --- stores ---


def _killed(which: Callable[[Stage], StoreProcess]) -> Fault:
    async def fault(stage: Stage, _: Random, seconds: float) -> None:
        which(stage).kill()
        await trio.sleep(max(seconds, GONE_S))
        await which(stage).start()

    return fault


def _stopped(which: Callable[[Stage], StoreProcess]) -> Fault:
    async def fault(stage: Stage, _: Random, seconds: float) -> None:
        await which(stage).stop()
        await trio.sleep(max(seconds, GONE_S))
        await which(stage).start()

    return fault


def _paused(which: Callable[[Stage], StoreProcess]) -> Fault:
    async def fault(stage: Stage, _: Random, seconds: float) -> None:
        which(stage).tell(signal.SIGSTOP)
        await trio.sleep(seconds)
        which(stage).tell(signal.SIGCONT)

    return fault


async def _kill_a_session(stage: Stage, _: Random, seconds: float) -> None:
    stage.postgres.kill_one()
    await trio.sleep(seconds)


async def _empty_valkey(stage: Stage, rng: Random, seconds: float) -> None:
    for _ in range(rng.randrange(1, 4)):
        with suppress(Exception):  # another fault may be that it is not there
            await trio.to_thread.run_sync(valkey_says, stage.valkey, "FLUSHALL")
        await trio.sleep(seconds / 3)


async def _fill_the_disk(stage: Stage, _: Random, seconds: float) -> None:
    await trio.to_thread.run_sync(stage.disk.fill)
    await trio.sleep(seconds)
    stage.disk.free()


# --- networks ---


def _network(which: Callable[[Stage], Proxy], spoil: Callable[[Proxy, Random], object]) -> Fault:
    async def fault(stage: Stage, rng: Random, seconds: float) -> None:
        spoil(which(stage), rng)
        await trio.sleep(seconds)
        which(stage).heal()

    return fault


def _cut(which: Callable[[Stage], Proxy]) -> Fault:
    async def fault(stage: Stage, rng: Random, seconds: float) -> None:
        for _ in range(rng.randrange(1, 6)):
            which(stage).reset()
            await trio.sleep(seconds / 5)

    return fault


def _refused(which: Callable[[Stage], Proxy]) -> Fault:
    async def fault(stage: Stage, _: Random, seconds: float) -> None:
        which(stage).refusing = True
        which(stage).reset()
        await trio.sleep(seconds)
        which(stage).heal()

    return fault


# --- clocks ---


async def _step_the_clock(stage: Stage, rng: Random, seconds: float) -> None:
    stage.clock.set(rng.choice([-3600, -400, -70, 70, 400, 3600]))
    await trio.sleep(seconds)
    stage.clock.set(0)


def _of_network(name: str, which: Callable[[Stage], Proxy]) -> dict[str, Fault]:
    return {
        f"{name} cut off": _cut(which),
        f"{name} refused": _refused(which),
        f"{name} in a black hole": _network(which, lambda proxy, _: proxy.black_hole()),
        f"every other connection to {name} in a black hole": _network(
            which, lambda proxy, _: proxy.black_hole(paths=1)
        ),
        f"answers of {name} swallowed": _network(which, lambda proxy, _: proxy.swallow_answers()),
        f"{name} far away": _network(which, lambda proxy, rng: proxy.delay(rng.uniform(0.02, 0.4))),
        f"{name} throttled": _network(which, lambda proxy, rng: proxy.throttle(rng.uniform(2_000, 50_000))),
    }


FAULTS: Mapping[str, Fault] = {
    "a worker killed": _kill_a_worker,
    "all workers killed": _kill_all_workers,
    "a worker paused": _pause_a_worker,
    "a worker restarted": _restart_a_worker,
    "the parent killed": _kill_the_parent,
    "the server restarted": _restart_the_server,
    "Postgres killed": _killed(lambda stage: stage.postgres),
    "Postgres restarted": _stopped(lambda stage: stage.postgres),
    "Postgres paused": _paused(lambda stage: stage.postgres),
    "a session of Postgres killed": _kill_a_session,
    "the disk full": _fill_the_disk,
    "Valkey killed": _killed(lambda stage: stage.valkey),
    "Valkey restarted": _stopped(lambda stage: stage.valkey),
    "Valkey paused": _paused(lambda stage: stage.valkey),
    "Valkey emptied": _empty_valkey,
    "the clock stepped": _step_the_clock,
    **_of_network("Postgres", lambda stage: stage.to_postgres),
    **_of_network("Valkey", lambda stage: stage.to_valkey),
}
