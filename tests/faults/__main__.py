"""Many rounds of faults on the real server and real stores.

scripts/soak faults [--rounds N] [--seed S] [--length SECONDS] [--only FAULT ...] [--keep DIR] [--minutes M] [--stop]
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from pathlib import Path
from random import Random

import trio

from tests.faults.nemesis import FAULTS, Step, drawn, impossible
from tests.faults.report import by_fault, not_done, table
from tests.faults.rounds import Outcome, played, settled
from tests.faults.stage import Stage, open_stage


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/soak faults", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="how many; the default is 20")
    parser.add_argument("--seed", type=int, default=1, help="of the first round; each has the next one")
    parser.add_argument("--length", type=float, default=8.0, help="of a round under load, in seconds")
    parser.add_argument("--only", action="append", choices=sorted(FAULTS), help="draw from these; may be repeated")
    parser.add_argument("--keep", type=Path, help="leave all logs in this new directory")
    parser.add_argument("--stop", action="store_true", help="begin no round after one in which something was found")
    parser.add_argument("--minutes", type=float, default=1e9, help="begin no round after so many")
    return parser.parse_args()


async def _soak(wanted: argparse.Namespace, folder: Path) -> list[Outcome]:
    outcomes: list[Outcome] = []
    give_up = time.monotonic() + wanted.minutes * 60
    async with open_stage(folder, wanted.seed, day_s=90) as stage:
        cannot = impossible(stage)
        print(*not_done(cannot), sep="\n", flush=True)
        names = [name for name in wanted.only or FAULTS if name not in cannot]
        for seed in range(wanted.seed, wanted.seed + wanted.rounds):
            rng = Random(seed)
            outcomes.append(await _one(stage, seed, drawn(rng, names, wanted.length), rng, wanted.length))
            if time.monotonic() > give_up or (wanted.stop and outcomes[-1].findings):
                break
        last = await settled(stage, Random(f"in the end of {wanted.seed}"))
        _tell("in the end", last)
    return [*outcomes, last]


async def _one(stage: Stage, seed: int, steps: list[Step], rng: Random, length_s: float) -> Outcome:
    began = time.monotonic()
    outcome = await played(stage, steps, rng, length_s)
    what = "; ".join(map(str, steps))
    _tell(f"seed {seed}: {what} ({time.monotonic() - began:.0f} s)", outcome)
    return outcome


def _tell(what: str, outcome: Outcome) -> None:
    counts = f"{len(outcome.operations)} operations, {outcome.unknown} unknown, {outcome.refused} refused"
    kept = f"{outcome.archived} archives, {outcome.purged} purged"
    print(f"{what}: {counts}, {kept}, level after {outcome.level_s:.1f} s", flush=True)
    for finding in outcome.findings[:10]:
        print(f"    {finding.kind.upper()}: {finding.what}", flush=True)


def _end_in_order() -> None:
    """Told to end, we leave no server and no disk behind, as after Ctrl-C, which those in the background may ignore."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # Trio puts its own in the place of this one
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))


def main() -> int:
    """0 if nothing was found, 1 otherwise; 2 for a wrong argument."""
    wanted = _arguments()
    _end_in_order()
    with tempfile.TemporaryDirectory(prefix="scoreboard-faults-") as made:
        if wanted.keep:
            wanted.keep.mkdir(parents=True)
        outcomes = trio.run(_soak, wanted, wanted.keep or Path(made))
    print(f"\n{table(outcomes)}\n\n{by_fault(outcomes)}")
    return 1 if any(outcome.findings for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
