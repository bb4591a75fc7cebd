"""What it costs that only earned points count: a score of document B's flow, and one without parts of its guard."""

from __future__ import annotations

import json
import signal
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from tests.bench.accounts import signed_up
from tests.bench.figure import Figure, Options, Reading
from tests.bench.filled import psql
from tests.bench.generator import Generator
from tests.bench.guarded_serve import STEPS, STUBS
from tests.bench.measures.cycles import per_cycle, require_exact
from tests.bench.measures.stages import wait_for_file
from tests.bench.scoreboard_subject import UNREACHED, ScoreboardSubject, running
from tests.bench.side_by_side import SideBySide
from tests.bench.statistics import median
from tests.bench.subject import SubjectFactory, wait_until_quiet
from tests.bench.versus import OURS, side_key

NAME = "guard"
NO_FRAUD = {"SCOREBOARD_FRAUD_ENABLED": "false"}
#: Each part that a server can be without; `all` are all of these.
PARTS = {
    "fraud": "watch on fraud",
    "signatures": "proof, token and client's signature",
    "evidence": "pace and evidence",
    "seals": "seals of the audit",
}
ALL = "all"
WITHOUT: dict[str, tuple[str, ...]] = {OURS: (), **{part: (part,) for part in PARTS}, ALL: tuple(PARTS)}
NO_SEALS = """
CREATE OR REPLACE FUNCTION seal(p_chain uuid, p_kind text, p_ids uuid[], p_moments timestamptz[], p_digests bytea)
RETURNS void LANGUAGE plpgsql AS $$ BEGIN END $$;
CREATE OR REPLACE FUNCTION score_digest(s score_updates) RETURNS bytea LANGUAGE sql STABLE RETURN '\\x00'::bytea;
"""
QUANTITIES = {
    "alone_median": "the time of a score alone",
    "server_us": "the server's processor time",
    "all_us": "all processor time",
}
WHOLE = {
    "alone_median": ("a score of one player alone, median", "ms"),
    "guarded_per_s": ("scores of all players at once", "1/s"),
    "server_us": ("processor: server", "us/score"),
    "postgres_us": ("processor: Postgres", "us/score"),
    "all_us": ("processor: server, Postgres, Valkey", "us/score"),
}
WARM_UP_S = 1.5
#: All sides in turn so often in a round: what disturbs the machine for a while disturbs them alike.
PASSES = 3


class GuardSide:
    """One server, whole or without parts, and its players."""

    def __init__(self, scope: ExitStack, without: tuple[str, ...], players: int, clocks: Path | None = None) -> None:
        settings: dict[str, Any] = {
            **UNREACHED,  # so the rules of fraud that judge a player's pace are on too
            **(NO_FRAUD if "fraud" in without else {}),
            "BENCH_WITHOUT": _stubbed(without),
        }
        settings |= {} if clocks is None else {"BENCH_CLOCKS": str(clocks)}
        self.subject: ScoreboardSubject = scope.enter_context(running("tests.bench.guarded_serve", **settings))
        if "seals" in without:
            psql(self.subject.data, NO_SEALS)
        port, self._players = self.subject.port, players
        key = (self.subject.data / "keys" / "game-1.key").read_text().strip()
        generator = Generator("tests.bench.proven_generator", port=port, players=signed_up(port, players), game_key=key)
        self._generator = scope.enter_context(generator)

    def window(self, seconds: float) -> dict[str, float]:
        """A third of the time one player alone, then all of them, and their exactness."""
        wait_until_quiet(self.subject)
        alone = self._generator.ask(seconds=seconds / 3, players=1)
        wait_until_quiet(self.subject)
        before = self.subject.usage()
        result = self._generator.ask(seconds=seconds * 2 / 3, players=self._players)
        used = per_cycle(self.subject.usage().since(before), result["cycles"])
        require_exact(self.subject.port, result["scores"])
        return {
            "alone_median": alone["cycle_ms"]["median"],
            "guarded_per_s": result["per_s"],
            **used,
            "all_us": sum(used.values()),
            "cycles": alone["cycles"] + result["cycles"],
        }


class GuardMeasure(SideBySide):
    """In each round every server in turn; one more has a clock at each step, and tells of nothing else."""

    names: tuple[str, ...] = (NAME,)
    figures: tuple[Figure, ...] = (
        *(Figure(key, label, unit) for key, (label, unit) in WHOLE.items()),
        *(
            Figure(f"{part}_of_{key}", f"{label}, of {whole}", "%")
            for part, label in {**PARTS, ALL: "all of these"}.items()
            for key, whole in QUANTITIES.items()
        ),
        *(Figure(f"step_{name}", f"step: {name}", "us") for name in STEPS),
        *(Figure(f"step_share_{name}", f"step: {name}, of the server's time", "%") for name in STEPS),
        Figure("steps_share", "all steps, of the server's time", "%"),
    )

    def __init__(self, _start: SubjectFactory, options: Options) -> None:
        sides = {
            name: partial(GuardSide, without=without, players=options.players) for name, without in WITHOUT.items()
        }
        super().__init__(sides, WARM_UP_S, options.window_s / PASSES)
        self._options = options
        self._clocked: GuardSide
        self._clocks: Path

    def __enter__(self) -> Self:
        self._clocks = Path(self._scope.enter_context(TemporaryDirectory())) / "clocks"
        self._clocked = GuardSide(self._scope, (), self._options.players, self._clocks)
        return super().__enter__()

    def round(self, number: int) -> Reading:
        """All sides, then the clocks; each share is of two values of the same pass, and the middle of all passes."""
        passes = [super(GuardMeasure, self).round(number * PASSES + each).values for each in range(PASSES)]
        values = {key: median(found[side_key(key, OURS)] for found in passes) for key in WHOLE}
        for part in (*PARTS, ALL):
            for key in QUANTITIES:
                kept = median(found[side_key(key, part)] / found[side_key(key, OURS)] for found in passes)
                values[f"{part}_of_{key}"] = 100 * (1 - kept)
        return Reading(values | self._steps(values["server_us"]))

    def _steps(self, server_us: float) -> dict[str, float]:
        """The median of each, and with how often it was taken its share of the whole."""
        self._clocked.subject.signal(signal.SIGUSR1)
        cycles = self._clocked.window(self._options.window_s / 2)["cycles"]
        self._clocked.subject.signal(signal.SIGUSR2)
        wait_for_file(self._clocks)
        told: dict[str, dict[str, float]] = json.loads(self._clocks.read_text())
        self._clocks.unlink()
        steps = {f"step_{name}": step["us"] for name, step in told.items()}
        shares = {name: 100 * step["us"] * step["times"] / cycles / server_us for name, step in told.items()}
        named = {f"step_share_{name}": share for name, share in shares.items()}
        return {**steps, **named, "steps_share": sum(shares.values())}


def _stubbed(without: tuple[str, ...]) -> str:
    return " ".join(part for part in without if part in STUBS)
