"""What operators do in the middle of it, by their verbs; and whether a backup made meanwhile comes back whole."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from random import Random

import trio

from tests.faults.checker import Finding, LedgerRow
from tests.faults.journal import Operation
from tests.faults.killing import Fault
from tests.faults.leavers import Leaver, Leaving, admitted, left_of, too_much_left
from tests.faults.stage import WORKERS, Stage
from tests.faults.stores import rows_of
from tests.faults.truth import ledger_of, totals_of
from tests.served import TOP

#: So long a verb may take, also where something else is wrong.
WITHIN_S = 60.0
COPIED = "copied"
#: The parent of drained workers ends so long after them at most.
ENDED_WITHIN_S = 15.0
KEYS = ("action", "client", "game", "jwt", "master")
#: Verbs and servers use a master key when it is so old, and a little more.
MASTER_USED_S = 35.0
#: So many players are erased, and so often it is tried.
AT_ONCE, TRIES = 2, 3


async def _do(stage: Stage, *words: str) -> bool:
    """One verb, to its end; whether it did what it says. Where nothing else is wrong, it has to."""
    command = [sys.executable, "-m", "scoreboard", *words, "--data", str(stage.server.data)]
    return await _run(stage, " ".join(words[:2]), command)


async def _run(stage: Stage, name: str, command: Sequence[str]) -> bool:
    environ = {**os.environ, "PYTHONPATH": str(TOP), **stage.clock.environ()}
    status, said = None, ""
    with trio.move_on_after(WITHIN_S):
        done = await trio.run_process(
            command, check=False, capture_stdout=True, capture_stderr=True, env=environ, cwd=str(TOP)
        )
        status, said = done.returncode, (done.stderr or done.stdout).decode().strip()
    stage.journal.note("a hand", verb=name, status=status, said=said[-300:])
    if status != 0 and stage.undisturbed:
        stage.journal.wonder(f"nothing else was wrong, and {name} ended with {status}: {said[-300:]}")
    return status == 0


async def _rebuild(stage: Stage, _: Random, seconds: float) -> None:
    await trio.sleep(seconds / 4)
    await _do(stage, "rebuild")


async def _reload_one(stage: Stage, rng: Random, seconds: float) -> None:
    number = str(rng.randrange(1, WORKERS + 1))
    await _do(stage, "reload", "--worker", number, "--over", f"{seconds / 4:.1f}")


async def _drain_one(stage: Stage, rng: Random, seconds: float) -> None:
    """One worker is away for a while; then a new one comes."""
    number = str(rng.randrange(1, WORKERS + 1))
    await _do(stage, "drain", "--worker", number, "--over", f"{seconds / 4:.1f}")
    await trio.sleep(seconds / 4)
    if not await _do(stage, "reload", "--worker", number, "--over", "0"):
        await stage.end_server("stop")  # nobody else would begin that worker again


async def _drain_all(stage: Stage, _: Random, seconds: float) -> None:
    """The whole server, in good order; then it is away, and is begun again."""
    await trio.sleep(seconds / 4)
    process = stage.server.process
    drained = await _do(stage, "drain", "--over", f"{seconds / 4:.1f}")
    with trio.move_on_after(ENDED_WITHIN_S):
        while process is not None and process.poll() is None:  # noqa: ASYNC110 - nobody tells
            await trio.sleep(0.05)
    if not drained:
        await stage.end_server("kill")  # it may end by itself when the round is over
    elif process is not None and process.poll() != 0:
        stage.journal.wonder(f"drained, the server ended with {process.poll()}")
    await trio.sleep(min(seconds, 1.0))


async def _rotate(stage: Stage, rng: Random, seconds: float) -> None:
    """The players' keys come under the newest master key, once that is used; and some keys have a successor."""
    await trio.sleep(seconds / 4)
    masters = [path.stat().st_mtime for path in (stage.server.data / "keys").glob("master-*.key")]
    if time.time() - max(masters) > MASTER_USED_S:
        await _do(stage, "key", "rewrap", "--postgres", stage.url_of("scoreboard"))
    for kind in rng.sample(KEYS, rng.randrange(2, len(KEYS))):
        await _do(stage, "key", "rotate", kind)


async def _erase(stage: Stage, _: Random, seconds: float) -> None:
    """Players come, score, and are erased in the middle of it; what they want after that counts no more."""
    if (load := stage.load) is None:
        return
    async with trio.open_nursery() as nursery:
        with trio.move_on_after(WITHIN_S):
            leavers = [await admitted(load) for _ in range(AT_ONCE)]
        if not leavers:
            return
        stage.leavers += leavers
        leaving = [Leaving(leaver, stage.service, load) for leaver in leavers]
        for each in leaving:
            nursery.start_soon(each.play)
        await trio.sleep(max(seconds / 2, 1.0))
        for leaver in leavers:
            await _erase_one(stage, leaver)
        await trio.sleep(seconds / 4)
        for each in leaving:
            each.enough = True


async def _erase_one(stage: Stage, leaver: Leaver) -> None:
    leaver.is_asked = True
    where = ["--postgres", stage.url_of("scoreboard"), "--redis", stage.redis_url]
    for _ in range(TRIES):
        if await _do(stage, "user", "erase", leaver.player.user_id, "--yes", *where):
            leaver.gone_s = stage.clock.true_s()
            break
    with suppress(Exception):  # another fault may be that nothing can be asked
        if leaver.is_gone:
            leaver.rows = (await left_of(stage.postgres))[leaver.player.user_id].rows


async def _back_up(stage: Stage, rng: Random, seconds: float) -> None:
    """While all score; then it is put back into a database beside, which has to have what was acknowledged before."""
    await trio.sleep(seconds / 4)
    mark = f"{rng.randrange(1 << 32):x}"
    copy, data, database = stage.folder / f"copy-{mark}", stage.folder / f"restored-{mark}", f"{COPIED}_{mark}"
    acknowledged = [operation for operation in stage.journal.operations if operation.told]
    told = [(operation, operation.told[0].score) for operation in acknowledged]
    gone = [replace(leaver, rows=None) for leaver in stage.leavers if leaver.is_gone]
    try:
        if not await _do(stage, "backup", str(copy), "--postgres", stage.url_of("scoreboard")):
            return
        await rows_of(stage.postgres, f"CREATE DATABASE {database}")
        words = ["restore", str(copy), "--postgres", stage.url_of(database), "--data", str(data)]
        if await _run(stage, "restore", [sys.executable, "-m", "scoreboard", *words]):
            rows, totals = await ledger_of(stage.postgres, database), await totals_of(stage.postgres, database)
            wrong = [*wrong_copy(told, rows, totals, await ledger_of(stage.postgres))]
            for finding in [*wrong, *too_much_left(gone, await left_of(stage.postgres, database))]:
                stage.journal.wonder(f"of the backup: {finding.kind}: {finding.what}")
            stage.journal.note("restored", rows=len(rows), acknowledged=len(told))
        await rows_of(stage.postgres, f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
    except Exception as error:  # another fault may be that nothing can be asked
        stage.journal.note("no backup", why=repr(error))
        if stage.undisturbed:
            raise
    finally:
        for folder in (copy, data):
            shutil.rmtree(folder, ignore_errors=True)


def wrong_copy(
    told: Sequence[tuple[Operation, int]],
    copied: Sequence[LedgerRow],
    totals: Mapping[str, int],
    ledger: Sequence[LedgerRow],
) -> Iterator[Finding]:
    """What a copy lacks that was told before it was begun, and what it has that is no beginning of the ledger. Pure."""
    there = {(row.user_id, row.score) for row in copied}
    for operation, score in told:
        if (operation.user_id, score) not in there:
            yield Finding("lost", f"{operation} was acknowledged before, and is not in it")
    last = dict.fromkeys(totals, 0)
    for row in copied:
        last[row.user_id] = max(last.get(row.user_id, 0), row.version)
    begun = {row for row in ledger if row.version <= last.get(row.user_id, 0)}
    if begun != set(copied):
        yield Finding("sum", f"{len(set(copied) ^ begun)} rows are not as the ledger had them at some moment")
    sums = dict.fromkeys(totals, 0)
    for row in copied:
        sums[row.user_id] = sums.get(row.user_id, 0) + row.points
    if sums != dict(totals):
        wrong = {user_id: total for user_id, total in totals.items() if sums.get(user_id) != total}
        yield Finding("sum", f"totals are not the sums of its rows: {json.dumps(wrong)}")


HANDS: Mapping[str, Fault] = {
    "boards rebuilt": _rebuild,
    "a worker reloaded": _reload_one,
    "a worker drained and begun again": _drain_one,
    "a backup put back": _back_up,
    "the whole server drained": _drain_all,
    "keys rotated": _rotate,
    "players erased": _erase,
}
