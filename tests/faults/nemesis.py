"""What goes wrong, drawn from a seed: which faults, of whom, when and for how long."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

import trio

from tests.faults.failing_over import FAILING_OVER, heal_postgres
from tests.faults.hands import HANDS
from tests.faults.killing import KILLING, Fault, heal_valkey, tell
from tests.faults.lasting import LASTING
from tests.faults.network import NETWORK
from tests.faults.setting import SETTING
from tests.faults.stage import Stage

FAULTS: Mapping[str, Fault] = {**FAILING_OVER, **HANDS, **KILLING, **LASTING, **NETWORK, **SETTING}
#: Of faults whose names have the same of these in them, one alone strikes in a round.
ALONE = ("the clock", "the disk", "failed over")


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
    chosen = rng.sample(names, 1)
    others = [name for name in names if not any(mark in name and mark in chosen[0] for mark in (*ALONE, chosen[0]))]
    if others and rng.random() < 0.5:
        chosen.append(rng.choice(others))
    return [Step(name, rng.uniform(0.2, length_s / 3), rng.uniform(0.5, length_s * 2 / 3)) for name in chosen]


async def strike(stage: Stage, steps: list[Step]) -> None:
    """Let all of them happen; then nothing is wrong any more, but for what has to recover."""
    stage.undisturbed = len(steps) == 1 and not stage.clock.wrong_s
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
    """Everything is as it should be: the network, the disk, and all that should run runs. Clocks stay as they are."""
    for proxy in (stage.to_postgres, stage.to_spare, stage.to_valkey):
        proxy.heal()
    stage.disk.free()
    stage.hurry(1.0)
    for pid in stage.worker_pids().values():
        tell(pid, signal.SIGCONT)
    for store in (stage.postgres, stage.valkey):
        store.tell(signal.SIGCONT)
        await store.start()
    await heal_postgres(stage)
    await heal_valkey(stage)
    if stage.server.process is None or stage.server.process.poll() is not None:
        stage.journal.note("server starts again")
        stage.server.process = None
        await stage.start_server()


def impossible(stage: Stage) -> dict[str, str]:
    """Faults that cannot be made to happen here, and why."""
    why = {"the disk full": stage.disk.why_not, "the clock": stage.clock.why_not}
    found = {name: reason for name in FAULTS for mark, reason in why.items() if mark in name and reason is not None}
    return dict(sorted(found.items()))
