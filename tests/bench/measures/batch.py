"""Scores in batches from a game's server, beside single commits of pgbench in the very same Postgres."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Self

from tests.bench.accounts import scores
from tests.bench.batch_generator import player_id
from tests.bench.figure import Figure, Mark, Options, Reading
from tests.bench.filled import fill, pgbench, psql, service_token
from tests.bench.generator import Command, Generator
from tests.bench.measures.cycles import Inexact
from tests.bench.numbers import read_numbers
from tests.bench.scoreboard_subject import ScoreboardSubject, running
from tests.bench.subject import SubjectFactory, Usage, wait_until_quiet

NAME = "batch"
PLAYERS, ROWS, SENDERS, SERVICES = 10_000, 1_000, 6, 2
CLIENTS = 8  # of pgbench
REPEATS = {"rare": "1 % of batches with a known row", "usual": "a known row in each batch"}
SHARES = {"rare": 0.01, "usual": 1.0}
SINGLE = """
\\set n random(0, :players - 1)
BEGIN;
UPDATE single_users SET score = score + 1, reached_at = clock_timestamp() WHERE n = :n RETURNING score;
INSERT INTO single_updates (n, created_at) VALUES (:n, clock_timestamp());
COMMIT;
"""
TABLES = """
CREATE TABLE single_users (n integer PRIMARY KEY, score bigint NOT NULL DEFAULT 0, reached_at timestamptz)
    WITH (fillfactor = 60);
CREATE TABLE single_updates (n integer, created_at timestamptz, PRIMARY KEY (n, created_at));
INSERT INTO single_users (n) SELECT generate_series(0, {players} - 1);
"""


class BatchMeasure:
    """Senders of two services with batches of 1,000 under way; pgbench with an UPDATE, an INSERT and a COMMIT each.

    After every window the sum of all scores in the database must be what was acknowledged.
    """

    names: tuple[str, ...] = (NAME,)
    figures: tuple[Figure, ...] = (
        Figure("batch_rows_per_s", "durable scores with ranks", "1/s", Mark(20_000, at_least=True)),
        Figure("batch_median", "batch of 1,000, median", "ms"),
        Figure("batch_p99", "batch of 1,000, p99", "ms"),
        Figure("batch_server_us", "processor: server", "us/score"),
        Figure("batch_postgres_us", "processor: Postgres", "us/score"),
        Figure("batch_valkey_us", "processor: Valkey", "us/score"),
        Figure("batch_generator_us", "processor: load generator", "us/score"),
        *(
            figure
            for name, words in REPEATS.items()
            for figure in (
                Figure(f"{name}_per_s", f"durable scores, {words}", "1/s"),
                Figure(f"{name}_postgres_us", f"processor: Postgres, {words}", "us/score"),
                Figure(f"{name}_ratio", f"durable scores, {words} / none", "ratio"),
            )
        ),
        Figure("lag_max", "longest turn of the loop, at most", "ms"),
        Figure("lag_above", "turns above 25 ms", "turns"),
        Figure("lag_share", "share of turns above 25 ms", "%"),
        Figure("single_per_s", "pgbench, single commits", "1/s"),
        Figure("single_postgres_us", "processor: Postgres, single commits", "us/score"),
        Figure("batch_ratio", "batches / single commits", "ratio"),
        Figure("batch_exact", "points acknowledged and found", "points"),
    )

    def __init__(self, _start: SubjectFactory, options: Options) -> None:
        self._seconds = options.window_s / 2
        self._scope = ExitStack()
        self._acknowledged = 0
        self._subject: ScoreboardSubject
        self._data: Path
        self._generator: Generator

    def __enter__(self) -> Self:
        self._subject = self._scope.enter_context(running(prepare=partial(fill, players=PLAYERS)))
        data = self._data = self._subject.home / "data"
        tokens = [service_token(data, f"bench-{number}") for number in range(SERVICES)]
        psql(data, TABLES.format(players=PLAYERS))
        config = {"port": self._subject.port, "tokens": tokens, "players": PLAYERS, "rows": ROWS, "senders": SENDERS}
        self._generator = self._scope.enter_context(Generator("tests.bench.batch_generator", **config))
        return self

    def __exit__(self, *_: object) -> None:
        self._scope.close()

    def warm_up(self) -> None:
        """Both, shortly."""
        self._batches("warm", 2.0)
        self._batches("warm-usual", 1.0, 1.0)
        self._single(1.0)

    def round(self, number: int) -> Reading:
        """Both, in turning order."""
        window = self._single(self._seconds) if number % 2 else {}
        wait_until_quiet(self._subject)
        generator_s, before = self._generator.processor_s(), self._subject.usage()
        lag = read_numbers(self._subject.port).lag
        result = self._batches(f"round{number}", self._seconds)
        held = read_numbers(self._subject.port).lag.since(lag).figures()
        used = _per_score(self._subject.usage().since(before), result["rows"])
        used["batch_generator_us"] = (self._generator.processor_s() - generator_s) / result["rows"] * 1e6
        repeats: dict[str, float] = {}
        for kind in sorted(SHARES, reverse=bool(number % 2)):
            repeats |= self._repeats(number, kind, result["per_s"])
        exact = self._require_exact()
        window = window or self._single(self._seconds)
        times = result["batch_ms"]
        return Reading(
            {
                "batch_rows_per_s": result["per_s"],
                "batch_median": times["median"],
                "batch_p99": times["p99"],
                **used,
                **repeats,
                **{name: held[name] for name in ("lag_max", "lag_above", "lag_share")},
                **window,
                "batch_ratio": result["per_s"] / window["single_per_s"],
                "batch_exact": float(exact),
            },
            {NAME: times["curve"]},
        )

    def _repeats(self, number: int, kind: str, without: float) -> dict[str, float]:
        wait_until_quiet(self._subject)
        before = self._subject.usage()
        result = self._batches(f"round{number}-{kind}", self._seconds, SHARES[kind])
        used = _per_score(self._subject.usage().since(before), result["rows"])
        return {
            f"{kind}_per_s": result["per_s"],
            f"{kind}_postgres_us": used["batch_postgres_us"],
            f"{kind}_ratio": result["per_s"] / without,
        }

    def _batches(self, name: str, seconds: float, repeats: float = 0.0) -> Command:
        wait_until_quiet(self._subject)
        result = self._generator.ask(seconds=seconds, name=name, repeats=repeats)
        self._acknowledged += result["rows"]
        return result

    def _single(self, seconds: float) -> dict[str, float]:
        wait_until_quiet(self._subject)
        before = self._subject.usage()
        per_s, count = pgbench(self._data, SINGLE, seconds, CLIENTS, players=PLAYERS)
        used = _per_score(self._subject.usage().since(before), count)
        return {"single_per_s": per_s, "single_postgres_us": used["batch_postgres_us"]}

    def _require_exact(self) -> int:
        """The database has what was acknowledged, and the board says the same of some players."""
        found = int(psql(self._data, "SELECT sum(score) FROM users"))
        if found != self._acknowledged:
            raise Inexact(f"the server has {found} points, {self._acknowledged} were acknowledged")
        for number in range(20):
            user_id = player_id(number)
            stored = int(psql(self._data, f"SELECT score FROM users WHERE user_id = '{user_id}'"))
            if scores(self._subject.port, [user_id]) != {user_id: stored}:
                raise Inexact(f"the board and the database differ about player {number}")
        return found


def _per_score(used: Usage, count: int) -> dict[str, float]:
    stores = {f"batch_{name}_us": seconds / count * 1e6 for name, seconds in used.stores_s.items()}
    return {"batch_server_us": used.server_s / count * 1e6, **stores}
