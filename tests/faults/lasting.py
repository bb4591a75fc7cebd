"""Faults that last: what is slow for long, what stands still for longer than anybody waits; and answers cut in two."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from random import Random

import trio

from tests.faults.killing import BEYOND_PATIENCE_S, OURS, STORM, Fault, tell
from tests.faults.proxy import Proxy
from tests.faults.stage import Stage
from tests.faults.stores import valkey_says

#: So long it lasts at least.
LONG_S = 8.0
#: Longer than a client waits for an answer, before it asks another worker.
BEYOND_CLIENTS_S = 9.0
#: What is slow runs for so long, seconds, and then stands still for some more; a disk that stalls looks like that.
RUNS_S, STALLS_S = 0.03, (0.05, 0.3)
#: Of so many answers of a store only half arrives.
HALVED = 0.01

Told = Callable[[signal.Signals], object]


def _slow(whose: Callable[[Stage, Random], Told]) -> Fault:
    async def fault(stage: Stage, rng: Random, seconds: float) -> None:
        said = whose(stage, rng)
        try:
            with trio.move_on_after(max(seconds, LONG_S)):
                while True:
                    said(signal.SIGSTOP)
                    await trio.sleep(rng.uniform(*STALLS_S))
                    said(signal.SIGCONT)
                    await trio.sleep(RUNS_S)
        finally:
            said(signal.SIGCONT)

    return fault


def _a_worker(stage: Stage, rng: Random) -> Told:
    pids = sorted(stage.worker_pids().values())
    pid = rng.choice(pids) if pids else None
    return lambda number: tell(pid, number) if pid is not None else None


async def _freeze(stage: Stage, rng: Random, seconds: float) -> None:
    """A worker stands still until its clients have gone to the other one; then it goes on where it was."""
    said = _a_worker(stage, rng)
    said(signal.SIGSTOP)
    await trio.sleep(BEYOND_CLIENTS_S + seconds / 4)
    said(signal.SIGCONT)


async def _freeze_and_trim(stage: Stage, rng: Random, seconds: float) -> None:
    """The same, shorter; and what it has not heard of the others is in the event log no more when it goes on."""
    said = _a_worker(stage, rng)
    said(signal.SIGSTOP)
    await trio.sleep(max(seconds, 1.0))
    with suppress(Exception):  # another fault may be that it is not there
        await trio.to_thread.run_sync(valkey_says, stage.valkey, "XTRIM", f"{OURS}events", "MAXLEN", "0")
    said(signal.SIGCONT)


async def _lose_last_words(stage: Stage, rng: Random, seconds: float) -> None:
    """When all who score have ended, the last that one worker committed is in no log, and nothing comes behind it."""

    async def lose() -> None:
        await _freeze_and_trim(stage, rng, min(seconds, 1.5))

    await trio.sleep(seconds / 4)
    if stage.load is not None:
        stage.load.at_end = lose


async def _restart_postgres_in_commits(stage: Stage, rng: Random, seconds: float) -> None:
    """In good order, as an operator does, with as many commits under way as there can be: none of them is answered."""
    stage.hurry(STORM)
    await trio.sleep(min(seconds, 1.0))
    stage.to_postgres.swallow_answers()
    await trio.sleep(rng.uniform(0.05, 1.0))
    await stage.postgres.stop()
    stage.to_postgres.reset()
    stage.to_postgres.heal()
    await stage.postgres.start()
    stage.hurry(1.0)


def _throttled(which: Callable[[Stage], Proxy]) -> Fault:
    async def fault(stage: Stage, rng: Random, seconds: float) -> None:
        which(stage).throttle(rng.uniform(4_000, 30_000))
        await trio.sleep(seconds + BEYOND_PATIENCE_S)
        which(stage).heal()

    return fault


def _halved(which: Callable[[Stage], Proxy]) -> Fault:
    async def fault(stage: Stage, rng: Random, seconds: float) -> None:
        before = which(stage).halved
        which(stage).halving = lambda: rng.random() < HALVED
        await trio.sleep(seconds)
        which(stage).halving = None
        stage.journal.note("answers cut in two", count=which(stage).halved - before)

    return fault


LASTING: Mapping[str, Fault] = {
    "Postgres slow": _slow(lambda stage, _: stage.postgres.tell),
    "Valkey slow": _slow(lambda stage, _: stage.valkey.tell),
    "a worker slow": _slow(_a_worker),
    "a worker frozen for long": _freeze,
    "a worker frozen and the log trimmed": _freeze_and_trim,
    "the last words lost": _lose_last_words,
    "Postgres restarted in mid-commit": _restart_postgres_in_commits,
    "Postgres throttled for long": _throttled(lambda stage: stage.to_postgres),
    "half answers of Postgres": _halved(lambda stage: stage.to_postgres),
    "half answers of Valkey": _halved(lambda stage: stage.to_valkey),
}
