"""PostgreSQL is failed over, as an operator does it who wants to lose nothing: to a replica that commits wait for."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from random import Random

import trio

from scoreboard.stores.embedded_errors import ServerFailed
from scoreboard.stores.embedded_home import private_directory
from scoreboard.stores.embedded_postgres import binary
from scoreboard.stores.embedded_process import run_to_end
from tests.faults.killing import Fault
from tests.faults.stage import Stage
from tests.faults.stores import StoreProcess, rows_of

#: To make a replica, and until it is waited for; and to promote it.
MADE_WITHIN_S, PROMOTED_WITHIN_S = 20.0, 30.0
LOOK_S = 0.05
#: The one that lives on does so for so long at least, while there is another one.
BESIDE_S = 2.0
#: Since when the primary has run, and whether its replica is waited for. One that was started again meanwhile may have
#: shown what waited for the replica, and stands at the primary alone.
WAITED_FOR = """
SELECT pg_postmaster_start_time(), (SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync')
"""
IN_THE_WAY = (OSError, subprocess.CalledProcessError, ServerFailed, trio.TooSlowError)


def _failed_over(*, lives: bool) -> Fault:
    """`lives`: the former primary is not ended before another one is made, but some time after."""

    async def fault(stage: Stage, rng: Random, seconds: float) -> None:
        try:
            with trio.fail_after(MADE_WITHIN_S):
                before = await _follow(stage)
                await trio.sleep(seconds / 4)
                if await rows_of(stage.postgres, WAITED_FOR) != before:
                    raise trio.TooSlowError("the replica is not waited for any more, or was not all the time")
        except IN_THE_WAY as error:
            stage.journal.note("no replica", why=repr(error))
            if stage.undisturbed:
                stage.journal.wonder(f"nothing else was wrong, and there was no replica: {error!r}")
            return
        former = stage.change_places()
        if not lives:
            former.kill()
            await trio.sleep(rng.uniform(0.0, 1.0))
        await _promote(stage)
        await trio.sleep(max(seconds / 2, BESIDE_S if lives else 0.0))
        former.kill()

    return fault


async def _follow(stage: Stage) -> list[list[str]]:
    """Make the spare one a replica that commits wait for; returns what `WAITED_FOR` tells then."""
    primary, spare = stage.postgres, stage.spare
    await _copy(primary, spare)
    await spare.start()
    stage.waits_for_spare = True
    await rows_of(primary, "ALTER SYSTEM SET synchronous_standby_names = '*'")
    await rows_of(primary, "SELECT pg_reload_conf()")
    while (told := await rows_of(primary, WAITED_FOR))[0][1] != "1":  # noqa: ASYNC110 - nobody tells
        await trio.sleep(LOOK_S)
    return told


async def _copy(primary: StoreProcess, spare: StoreProcess) -> None:
    """Of its settings, too; it was told to wait for none then."""
    cluster = spare.home / "cluster"
    shutil.rmtree(cluster, ignore_errors=True)
    private_directory(cluster, spare.server.program.account)
    where = ["-h", str(primary.socket.parent), "-U", "postgres", "-D", str(cluster)]
    words = [str(binary("pg_basebackup")), *where, "-R", "-c", "fast", "--no-sync"]
    await run_to_end(replace(spare.server.program, arguments=words), within=MADE_WITHIN_S)


async def _promote(stage: Stage) -> None:
    """However often another fault ends it meanwhile."""
    with trio.fail_after(PROMOTED_WITHIN_S):
        while True:
            try:
                if await rows_of(stage.postgres, "SELECT pg_is_in_recovery() AND NOT pg_promote()") == [["f"]]:
                    return
            except IN_THE_WAY:
                pass
            await trio.sleep(LOOK_S)


async def heal_postgres(stage: Stage) -> None:
    """There is the primary alone, and it waits for nobody."""
    stage.spare.kill()
    if stage.waits_for_spare:
        await rows_of(stage.postgres, "ALTER SYSTEM RESET synchronous_standby_names")
        await rows_of(stage.postgres, "SELECT pg_reload_conf()")
        stage.waits_for_spare = False


FAILING_OVER: Mapping[str, Fault] = {
    "Postgres failed over": _failed_over(lives=False),
    "Postgres failed over while the former primary lives": _failed_over(lives=True),
}
