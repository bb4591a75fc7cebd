"""What the server itself counts: `/metrics` as plain numbers, its histogram of lag, and Postgres' own counter."""

from __future__ import annotations

import math
import subprocess
import urllib.request
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from scoreboard.stores.embedded_postgres import DATABASE, binary

LAG = "event_loop_lag_seconds"
HELD_MS = 25.0  # what a tick may take of the loop


@dataclass(frozen=True, slots=True)
class Lag:
    """Turns of the event loop: how many lasted at most so long (milliseconds, cumulative), and how long all of them."""

    at_most: dict[float, float]
    seconds: float

    @property
    def turns(self) -> float:
        """All of them."""
        return self.at_most[math.inf]

    def since(self, earlier: Lag) -> Lag:
        """The turns between two readings."""
        counts = {bound: count - earlier.at_most[bound] for bound, count in self.at_most.items()}
        return Lag(counts, self.seconds - earlier.seconds)

    def percentile(self, percent: float) -> float:
        """The bound that so many turns kept; 100 for the longest."""
        wanted = self.turns * percent / 100
        return next(bound for bound, count in sorted(self.at_most.items()) if count >= wanted)

    def above(self, bound_ms: float) -> float:
        """How many turns lasted longer."""
        return self.turns - self.at_most[bound_ms]

    def bars(self) -> list[float]:
        """Turns in each bucket, from the shortest; for a plot."""
        counts = [count for _, count in sorted(self.at_most.items())]
        return [after - before for before, after in pairwise([0.0, *counts])]

    def figures(self, prefix: str = "lag_") -> dict[str, float]:
        """What the tables tell of it, in milliseconds, turns and per cent."""
        return {
            f"{prefix}max": self.percentile(100),
            f"{prefix}p999": self.percentile(99.9),
            f"{prefix}above": self.above(HELD_MS),
            f"{prefix}share": 100 * self.above(HELD_MS) / self.turns,
            f"{prefix}turns": self.turns,
        }


@dataclass(frozen=True, slots=True)
class Numbers:
    """One reading of `/metrics`: sums over all labels, and the lag."""

    values: dict[str, float]
    lag: Lag


def read_numbers(port: int) -> Numbers:
    """Ask the server."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30.0) as answer:
        return parsed(answer.read().decode())


def parsed(text: str) -> Numbers:
    """From the text format of Prometheus."""
    values: dict[str, float] = {}
    at_most: dict[float, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == f"{LAG}_bucket":
                at_most[round(float(sample.labels["le"]) * 1000, 6)] = sample.value
            else:
                values[sample.name] = values.get(sample.name, 0.0) + sample.value
    return Numbers(values, Lag(at_most, values.get(f"{LAG}_sum", 0.0)))


def transactions(data: Path) -> int:
    """How many transactions Postgres has counted in the server's database; its sessions report up to 10 s late."""
    counted = f"SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = '{DATABASE}'"
    return int(query(data, counted))


def query(data: Path, statement: str) -> str:
    """What the embedded Postgres under that directory answers: a line for each row, columns parted by `|`."""
    sockets = (data / "postgres" / "cluster" / "postmaster.pid").read_text().splitlines()[4]
    command = [str(binary("psql")), "-h", sockets, "-U", "postgres", "-d", DATABASE, "--no-psqlrc", "-Atc", statement]
    return subprocess.run(command, check=True, capture_output=True, timeout=30, text=True).stdout
