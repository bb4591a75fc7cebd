"""Faults of clocks: they are set, and stay so until the next round has begun; and days go by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random

import trio

from tests.faults.clock import PARENT, POSTGRES, VALKEY
from tests.faults.killing import Fault
from tests.faults.stage import WORKERS, Stage
from tests.faults.zone import DAY_S

HOUR_S = 3600
#: By how much a clock may be set: less than what is held to be right, more than that, hours, and more than a day.
STEPS_S = (-26 * HOUR_S, -5 * HOUR_S, -2000, -400, -70, 70, 400, 2000, 5 * HOUR_S, 26 * HOUR_S)
#: Never so far back that the day before, whose archive does not change any more, would be written to again.
WITHIN_A_DAY_S = 2 * HOUR_S
ALL_WORKERS = tuple(range(1, WORKERS + 1))
EVERYBODY = (PARENT, *ALL_WORKERS, POSTGRES, VALKEY)


async def _step_for_a_while(stage: Stage, rng: Random, seconds: float) -> None:
    """All that count limits and time, forth and back."""
    stage.clock.set(rng.choice((-3600, -400, -70, 70, 400, 3600)), PARENT, *ALL_WORKERS, VALKEY)
    await trio.sleep(seconds)
    stage.clock.put_right()


def _set(whose: Callable[[Random], Sequence[int]], steps_s: Sequence[int] = STEPS_S) -> Fault:
    async def fault(stage: Stage, rng: Random, seconds: float) -> None:
        places, step_s = whose(rng), rng.choice(steps_s)
        stage.clock.set(stage.room_behind(step_s) if POSTGRES in places else step_s, *places)
        stage.journal.note("clock set", places=places, seconds=stage.clock.wrong_s[places[0]])
        await trio.sleep(seconds)

    return fault


async def _pass_a_day(stage: Stage, rng: Random, seconds: float) -> None:
    """For everybody alike: tokens have expired, a day is over, and sometimes a week, or a month."""
    stage.clock.pass_by(rng.randrange(20 * HOUR_S, 30 * HOUR_S))
    stage.journal.note("a day has passed", now_s=stage.clock.true_s())
    await trio.sleep(seconds)


def _to_the_end_of(kind: str) -> Fault:
    """For everybody alike: it is the last moment of a period of that kind, which ends while they play."""

    async def fault(stage: Stage, rng: Random, seconds: float) -> None:
        now_us = int(stage.clock.true_s() * 1_000_000)
        left_s = (stage.periods.holding(kind, now_us).end_us - now_us) // 1_000_000
        stage.clock.pass_by(max(left_s - rng.randrange(1, 3), 0))
        stage.journal.note("before an end", kind=kind, now_s=stage.clock.true_s())
        await trio.sleep(seconds)

    return fault


async def _pass_weeks(stage: Stage, rng: Random, seconds: float) -> None:
    """For everybody alike: keys and spent tokens are old enough to go, and most sessions are over."""
    stage.clock.pass_by(rng.randrange(8 * DAY_S, 33 * DAY_S))
    stage.journal.note("weeks have passed", now_s=stage.clock.true_s())
    await trio.sleep(seconds)


SETTING: Mapping[str, Fault] = {
    "the clock stepped": _step_for_a_while,
    "the clock of a worker set": _set(lambda rng: (rng.choice(ALL_WORKERS),)),
    "the clock of all workers set": _set(lambda _: (PARENT, *ALL_WORKERS)),
    "the clock of Postgres set": _set(lambda _: (POSTGRES,)),
    "the clock of Valkey set": _set(lambda _: (VALKEY,)),
    "the clock of everybody set back": _set(lambda _: EVERYBODY, [step_s for step_s in STEPS_S if step_s < 0]),
    "the clock a day later": _pass_a_day,
    "the clock weeks later": _pass_weeks,
    "the clock at the end of a week": _to_the_end_of("WEEKLY"),
    "the clock at the end of a month": _to_the_end_of("MONTHLY"),
}
