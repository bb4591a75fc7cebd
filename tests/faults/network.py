"""Faults of networks: before a store, between one worker and its stores, and in the middle of a commit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from random import Random

import trio

from tests.faults.killing import BEYOND_PATIENCE_S, Fault
from tests.faults.lonely import look_at_lonely
from tests.faults.proxy import Proxy
from tests.faults.stage import WORKERS, Stage
from tests.stores.proxy import Statements

Which = Callable[[Stage], Proxy]
#: What makes scores stand: the ledger's own statement, and the end of other transactions.
COMMITS = (b"commit_scores", b"COMMIT")
#: Of so many commits the answer is lost.
LOST = 0.3


def _spoilt(which: Which, spoil: Callable[[Proxy, Random], object]) -> Fault:
    async def fault(stage: Stage, rng: Random, seconds: float) -> None:
        spoil(which(stage), rng)
        await trio.sleep(seconds)
        which(stage).heal()

    return fault


def _cut(which: Which) -> Fault:
    async def fault(stage: Stage, rng: Random, seconds: float) -> None:
        for _ in range(rng.randrange(1, 6)):
            which(stage).reset()
            await trio.sleep(seconds / 5)

    return fault


def _refused(which: Which) -> Fault:
    async def fault(stage: Stage, _: Random, seconds: float) -> None:
        which(stage).refusing = True
        which(stage).reset()
        await trio.sleep(seconds)
        which(stage).heal()

    return fault


async def _lose_answers_to_commits(stage: Stage, rng: Random, seconds: float) -> None:
    def loses(known: Statements, data: bytes) -> bool:
        return any(known.runs(data, text) for text in COMMITS) and rng.random() < LOST

    before = stage.to_postgres.lost
    stage.to_postgres.losing = loses
    await trio.sleep(seconds)
    stage.to_postgres.losing = None
    stage.journal.note("answers to commits lost", count=stage.to_postgres.lost - before)


def _lonely(*whiches: Which) -> Fault:
    """One worker alone reaches neither of these, for longer than it takes it to give them up; the others go on."""

    async def fault(stage: Stage, rng: Random, seconds: float) -> None:
        number = rng.randrange(1, WORKERS + 1)
        how = {"silent_to_server": rng.random() < 2 / 3, "refused": rng.random() < 1 / 3}
        proxies = [which(stage) for which in whiches]
        cut = [proxy.set_aside(partial(stage.ports_of, number, proxy), **how) for proxy in proxies]
        stage.journal.note("cut off", worker=number, connections=cut, **how)
        before = stage.worker_pids().get(number)
        await trio.sleep(BEYOND_PATIENCE_S)
        # One that was killed meanwhile cannot begin again, and is left alone for a minute if this lasts.
        if stage.to_postgres in proxies and before is not None and before == stage.worker_pids().get(number):
            await look_at_lonely(stage, number)
        await trio.sleep(max(seconds - BEYOND_PATIENCE_S, 0))
        for proxy in proxies:
            proxy.heal()

    return fault


def _of(name: str, which: Which) -> dict[str, Fault]:
    return {
        f"{name} cut off": _cut(which),
        f"{name} refused": _refused(which),
        f"{name} in a black hole": _spoilt(which, lambda proxy, _: proxy.black_hole()),
        f"every other connection to {name} in a black hole": _spoilt(which, lambda proxy, _: proxy.black_hole(paths=1)),
        f"answers of {name} swallowed": _spoilt(which, lambda proxy, _: proxy.swallow_answers()),
        f"{name} far away": _spoilt(which, lambda proxy, rng: proxy.delay(rng.uniform(0.02, 0.4))),
        f"{name} throttled": _spoilt(which, lambda proxy, rng: proxy.throttle(rng.uniform(2_000, 50_000))),
    }


def _to_postgres(stage: Stage) -> Proxy:
    return stage.to_postgres


def _to_valkey(stage: Stage) -> Proxy:
    return stage.to_valkey


BOTH: Sequence[Which] = (_to_postgres, _to_valkey)
NETWORK: Mapping[str, Fault] = {
    **_of("Postgres", _to_postgres),
    **_of("Valkey", _to_valkey),
    "answers to commits lost": _lose_answers_to_commits,
    "a worker cut off from Postgres": _lonely(_to_postgres),
    "a worker cut off from Valkey": _lonely(_to_valkey),
    "a worker cut off from both": _lonely(*BOTH),
}
