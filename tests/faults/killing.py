"""Faults of processes and of what they stand on: workers and stores are killed, paused, emptied and starved."""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from random import Random

import trio

from tests.faults.stage import WORKERS, Stage
from tests.faults.stores import StoreProcess, rows_of, valkey_says

Fault = Callable[[Stage, Random, float], Awaitable[None]]
#: Of a store that is to be gone, so long it stays so at least.
GONE_S = 0.5
#: Longer than anybody waits for Postgres before it is held to be away.
BEYOND_PATIENCE_S = 4.5
#: How much quicker everybody is in a storm.
STORM = 8.0
OURS = "scoreboard:"
#: All statements of clients, so many times, with a pause.
CANCELLED_EVERY_S = 0.02
CANCEL = """
DO $$ BEGIN
    FOR each IN 1..{times} LOOP
        PERFORM pg_stat_clear_snapshot();
        PERFORM pg_cancel_backend(pid) FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND state = 'active' AND pid <> pg_backend_pid();
        PERFORM pg_sleep({pause});
    END LOOP;
END $$
"""


def tell(pid: int, number: signal.Signals) -> None:
    """If it is still there."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _told(number: signal.Signals, count: int = 1) -> Fault:
    async def fault(stage: Stage, rng: Random, seconds: float) -> None:
        pids = list(stage.worker_pids().values())
        chosen = rng.sample(pids, min(count, len(pids)))
        for pid in chosen:
            tell(pid, number)
        await trio.sleep(seconds)
        for pid in chosen:
            tell(pid, signal.SIGCONT)

    return fault


async def _kill_the_parent(stage: Stage, _: Random, seconds: float) -> None:
    await stage.end_server("kill")
    await trio.sleep(min(seconds, 1.0))


async def _kill_the_whole_server(stage: Stage, _: Random, seconds: float) -> None:
    """The parent first, so that it begins no worker again."""
    pids = stage.worker_pids().values()
    if stage.server.process is not None:
        stage.server.process.kill()
    for pid in pids:
        tell(pid, signal.SIGKILL)
    await trio.sleep(min(seconds, 1.0))


async def _kill_everything(stage: Stage, rng: Random, seconds: float) -> None:
    """As when the machine is switched off, but for what the kernel still has to write."""
    stage.postgres.kill()
    stage.valkey.kill()
    await _kill_the_whole_server(stage, rng, seconds)
    await stage.postgres.start()
    await stage.valkey.start()


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

Which = Callable[[Stage], StoreProcess]


def _killed(which: Which) -> Fault:
    async def fault(stage: Stage, _: Random, seconds: float) -> None:
        which(stage).kill()
        await trio.sleep(max(seconds, GONE_S))
        await which(stage).start()

    return fault


def _stopped(which: Which) -> Fault:
    async def fault(stage: Stage, _: Random, seconds: float) -> None:
        await which(stage).stop()
        await trio.sleep(max(seconds, GONE_S))
        await which(stage).start()

    return fault


def _paused(which: Which) -> Fault:
    async def fault(stage: Stage, _: Random, seconds: float) -> None:
        which(stage).tell(signal.SIGSTOP)
        await trio.sleep(seconds)
        which(stage).tell(signal.SIGCONT)

    return fault


async def _pause_and_kill_postgres(stage: Stage, _: Random, seconds: float) -> None:
    """What was asked of it while it stood still is never answered."""
    stage.postgres.tell(signal.SIGSTOP)
    await trio.sleep(max(seconds, BEYOND_PATIENCE_S))
    stage.postgres.kill()
    await trio.sleep(GONE_S)
    await stage.postgres.start()


async def _kill_postgres_in_a_storm(stage: Stage, rng: Random, seconds: float) -> None:
    """Several times, each in the middle of commits."""
    stage.hurry(STORM)
    for _ in range(3):
        await trio.sleep(rng.uniform(0.2, max(seconds / 4, 0.3)))
        stage.postgres.kill()
        await trio.sleep(rng.uniform(0.0, GONE_S))
        await stage.postgres.start()
    stage.hurry(1.0)


async def _kill_a_session(stage: Stage, _: Random, seconds: float) -> None:
    stage.postgres.kill_one()
    await trio.sleep(seconds)


async def _cancel_statements(stage: Stage, _: Random, seconds: float) -> None:
    """Of whoever asks something just then, commits too; again and again, with as many under way as there can be."""
    stage.hurry(STORM)
    with suppress(Exception):  # another fault may be that it is not there
        await rows_of(stage.postgres, CANCEL.format(times=int(seconds / CANCELLED_EVERY_S), pause=CANCELLED_EVERY_S))
    stage.hurry(1.0)


async def _fill_the_disk(stage: Stage, _: Random, seconds: float) -> None:
    await trio.to_thread.run_sync(stage.disk.fill)
    await trio.sleep(seconds)
    stage.disk.free()


async def _fill_the_disk_without_valkey(stage: Stage, rng: Random, seconds: float) -> None:
    stage.valkey.kill()
    await _fill_the_disk(stage, rng, seconds)
    await trio.sleep(rng.uniform(0.0, 1.0))
    await stage.valkey.start()


# --- Valkey alone ---


async def _tell_valkey(stage: Stage, *words: str) -> None:
    with suppress(Exception):  # another fault may be that it is not there
        await trio.to_thread.run_sync(valkey_says, stage.valkey, *words)


async def _empty_valkey(stage: Stage, rng: Random, seconds: float) -> None:
    for _ in range(rng.randrange(1, 4)):
        await _tell_valkey(stage, "FLUSHALL")
        await trio.sleep(seconds / 3)


async def _replace_valkey(stage: Stage, _: Random, seconds: float) -> None:
    """By one that knows nothing, not even the scripts; in the same place, after a while."""
    stage.valkey.kill()
    await trio.sleep(min(seconds, GONE_S))
    stage.valkey.forget()
    await stage.valkey.start()
    await trio.sleep(seconds)


def _configured(name: str, value: str) -> Fault:
    async def fault(stage: Stage, _: Random, seconds: float) -> None:
        await _tell_valkey(stage, "CONFIG", "SET", name, value)
        await trio.sleep(seconds)
        await _tell_valkey(stage, "CONFIG", "SET", name, "0")

    return fault


async def _make_valkey_a_replica(stage: Stage, _: Random, seconds: float) -> None:
    """Of nobody: it only reads."""
    await _tell_valkey(stage, "REPLICAOF", "127.0.0.1", "1")
    await trio.sleep(seconds)
    await _tell_valkey(stage, "REPLICAOF", "NO", "ONE")


async def heal_valkey(stage: Stage) -> None:
    """It takes writes again."""
    for name in ("maxmemory", "min-replicas-to-write"):
        await _tell_valkey(stage, "CONFIG", "SET", name, "0")
    await _tell_valkey(stage, "REPLICAOF", "NO", "ONE")


def _postgres(stage: Stage) -> StoreProcess:
    return stage.postgres


def _valkey(stage: Stage) -> StoreProcess:
    return stage.valkey


KILLING: Mapping[str, Fault] = {
    "a worker killed": _told(signal.SIGKILL),
    "all workers killed": _told(signal.SIGKILL, WORKERS),
    "a worker paused": _told(signal.SIGSTOP),
    "a worker restarted": _told(signal.SIGTERM),
    "the parent killed": _kill_the_parent,
    "the whole server killed": _kill_the_whole_server,
    "everything killed": _kill_everything,
    "the server restarted": _restart_the_server,
    "Postgres killed": _killed(_postgres),
    "Postgres killed in a storm": _kill_postgres_in_a_storm,
    "Postgres restarted": _stopped(_postgres),
    "Postgres paused": _paused(_postgres),
    "Postgres paused and then killed": _pause_and_kill_postgres,
    "a session of Postgres killed": _kill_a_session,
    "statements cancelled": _cancel_statements,
    "the disk full": _fill_the_disk,
    "the disk full and no Valkey": _fill_the_disk_without_valkey,
    "Valkey killed": _killed(_valkey),
    "Valkey restarted": _stopped(_valkey),
    "Valkey paused": _paused(_valkey),
    "Valkey emptied": _empty_valkey,
    "Valkey replaced by an empty one": _replace_valkey,
    "Valkey full": _configured("maxmemory", "1"),
    "Valkey without its replicas": _configured("min-replicas-to-write", "5"),
    "Valkey a replica": _make_valkey_a_replica,
}
