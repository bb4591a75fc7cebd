"""Where the server's processor time of one cycle goes."""

from __future__ import annotations

import signal
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from tests.bench.accounts import register
from tests.bench.figure import Options
from tests.bench.generator import Generator
from tests.bench.scoreboard_subject import ScoreboardSubject, running
from tests.bench.stacks import Stage, inclusive, read, stages

NAME = "stages"
WRITTEN_WITHIN_S = 20.0
start_sampled = partial(running, "tests.bench.profiled_serve")


@dataclass(frozen=True, slots=True)
class Profile:
    """Microseconds of the server's processor time a cycle: in all, by room, and by function with all that it calls."""

    cycle_us: float
    stages: list[Stage]
    inclusive: list[tuple[str, float]]


def take(options: Options, stacks: Path) -> Profile:
    """Sample a server under the load of the cycles; the folded stacks stay in the file."""
    stacks.unlink(missing_ok=True)
    with start_sampled(BENCH_STACKS=str(stacks)) as subject:
        players = [asdict(account) for account in register(subject.port, options.players)]
        with Generator("tests.bench.cycles_generator", port=subject.port, players=players) as generator:
            generator.ask(seconds=2.0, keys=None)
            cycle_us = _sample(subject, generator, 2 * options.window_s)
        wait_for_file(stacks)
    found = list(read(stacks))
    return Profile(cycle_us, stages(found, cycle_us), inclusive(found, cycle_us))


def _sample(subject: ScoreboardSubject, generator: Generator, seconds: float) -> float:
    subject.signal(signal.SIGUSR1)
    before = subject.usage()
    cycles: int = generator.ask(seconds=seconds, keys=None)["cycles"]
    used = subject.usage().since(before)
    subject.signal(signal.SIGUSR2)
    return used.server_s / cycles * 1e6


def wait_for_file(path: Path) -> None:
    """Until a server that was told to has written it."""
    deadline = time.monotonic() + WRITTEN_WITHIN_S
    while not path.exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"the server did not write {path}")
        time.sleep(0.05)
