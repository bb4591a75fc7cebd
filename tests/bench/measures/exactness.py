"""Every acknowledged point is in the ledger once and every client shows the true board, whatever happens meanwhile."""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

import trio

from scoreboard.security.keyfolder import KeyFolder
from scoreboard.security.personal import PersonalVault
from scoreboard.stores.embedded_postgres import running_url
from scoreboard.stores.opening import open_stores
from scoreboard.stores.personal import SCORE, Row
from tests.bench.accounts import Account, register, scores
from tests.bench.arena import require_true
from tests.bench.audit import Inexact, Totals, require_rows, total_of
from tests.bench.figure import Figure, Options, Reading
from tests.bench.filled import service_token
from tests.bench.generator import Command, Generator
from tests.bench.numbers import query
from tests.bench.scoreboard_subject import ScoreboardSubject
from tests.bench.subject import SubjectFactory

NAME = "exactness"
PLAYERS = 16
PLAY_S = 14.0
WAYS = {"rest": "REST", "socket": "live socket", "batches": "batches"}
LEDGER = "SELECT user_id, source, new_score FROM score_updates"
OPERATIONS = "SELECT count(*) - count(DISTINCT operation_id) FROM score_updates WHERE score_increment = 1"
TOTALS = "SELECT user_id, score FROM users"


class ExactnessMeasure:
    """Every player scores in all three ways at once, without a pause; each score is sent until it is acknowledged.

    Some are sent again although they were, and some answers are not waited for. Meanwhile a tenth of the clients stop
    reading, a fifth are cut off and come back, and the server is killed and started again; then those who stopped read
    again. All that was acknowledged of a player, together, must be every total from 1 to the score, each once; each
    way's must be its rows of the ledger; and the last board of every client must be the true one.
    """

    names: tuple[str, ...] = (NAME,)
    figures: tuple[Figure, ...] = (
        *(
            figure
            for way, name in WAYS.items()
            for figure in (
                Figure(f"{way}_points", f"{name}: acknowledged, in the ledger once", "points"),
                Figure(f"{way}_resent", f"{name}: requests sent again", "requests"),
                Figure(f"{way}_known", f"{name}: acknowledged again, counted once", "points"),
                Figure(f"{way}_ranked", f"{name}: acknowledged with ranks", "points"),
            )
        ),
        Figure("shown", "clients that show the true board", "clients"),
        Figure("lost", "connections lost", "connections"),
        Figure("gaps", "differences that could not be applied", "frames"),
    )

    def __init__(self, start: SubjectFactory, options: Options) -> None:
        self._start = start
        self._stopping, self._cut = options.viewers // 10, options.viewers // 5
        self._staying = options.viewers - self._stopping - self._cut
        self._scope = ExitStack()
        self._subject: ScoreboardSubject
        self._accounts: list[Account]
        self._senders: dict[str, Generator]
        self._watchers: Generator
        self._unsteady: Generator

    def __enter__(self) -> Self:
        subject = self._scope.enter_context(self._start())
        assert isinstance(subject, ScoreboardSubject)
        self._subject = subject
        self._accounts = register(subject.port, PLAYERS)
        players = [asdict(account) for account in self._accounts]
        token = service_token(subject.data, "bench")
        self._senders = {
            way: self._generator("tests.bench.steadfast_generator", way=way, players=players, token=token)
            for way in WAYS
        }
        self._watchers = self._generator("tests.bench.crowd_generator")
        self._unsteady = self._generator("tests.bench.crowd_generator")
        return self

    def __exit__(self, *_: object) -> None:
        self._scope.close()

    def _generator(self, module: str, **config: object) -> Generator:
        return self._scope.enter_context(Generator(module, port=self._subject.port, **config))

    def warm_up(self) -> None:
        """All clients come, and stay."""
        self._watchers.ask(join=self._stopping, per_s=1000, small=True, settle=True)
        self._watchers.ask(join=self._staying, per_s=1000, settle=True)
        self._unsteady.ask(join=self._cut, per_s=1000, settle=True)

    def round(self, number: int) -> Reading:
        """All that may go wrong, while points are scored; then what came of it."""
        for sender in self._senders.values():
            sender.begin(seconds=PLAY_S)
        seen = [self._watchers.ask(watch_s=1.0), self._watchers.ask(stop=self._stopping, watch_s=1.0)]
        seen.append(self._unsteady.ask(cut=True, watch_s=2.0))
        self._watchers.begin(watch_s=4.0, settle=True)
        self._unsteady.begin(watch_s=4.0, settle=True)
        time.sleep(0.5)
        self._subject.end(signal.SIGKILL)
        self._subject.start()
        seen += [self._watchers.result(), self._unsteady.result()]
        seen.append(self._watchers.ask(resume=True, watch_s=1.0))
        played = {way: sender.result() for way, sender in self._senders.items()}
        time.sleep(2 * self._subject.tick_s)
        last = [self._watchers.ask(watch_s=2.0, settle=True), self._unsteady.ask(watch_s=2.0, settle=True)]
        return Reading(self._judged(played, last) | {key: sum(each[key] for each in seen) for key in ("lost", "gaps")})

    def _judged(self, played: dict[str, Command], last: list[Command]) -> dict[str, float]:
        acknowledged = {way: told["scores"] for way, told in played.items()}
        self._require_ledger(acknowledged)
        totals = {account.user_id: total_of(account.user_id, acknowledged) for account in self._accounts}
        if scores(self._subject.port, list(totals)) != totals:
            raise Inexact("the players' scores on the board are not what was acknowledged")
        stored = dict(line.split("|") for line in query(self._subject.data, TOTALS).splitlines())
        if stored != {user_id: str(total) for user_id, total in totals.items()}:
            raise Inexact("the players' scores in the database are not what was acknowledged")
        for seen in last:
            require_true(self._subject.port, seen)
        figures = {"shown": float(sum(seen["watching"] for seen in last))}
        for way, told in played.items():
            figures[f"{way}_points"] = float(sum(map(len, acknowledged[way].values())))
            figures |= {f"{way}_{name}": float(told[name]) for name in ("resent", "known", "ranked")}
        return figures

    def _require_ledger(self, acknowledged: dict[str, Totals]) -> None:
        """Every way's rows are what it was told, no more and no less, and no operation has two."""
        found: dict[str, dict[str, list[int]]] = {way: {} for way in WAYS}
        for user_id, agent, total in trio.run(_ledger, self._subject.data):
            way = agent.rpartition(" ")[2]  # of a batch the ledger knows the service and what it calls itself
            found.setdefault(way, {}).setdefault(user_id, []).append(total)
        require_rows(acknowledged, found)
        if query(self._subject.data, OPERATIONS).strip() != "0":
            raise Inexact("an action counted twice")


async def _ledger(data: Path) -> list[tuple[str, str, int]]:
    """Each row's player, the agent that it came from, and the total that it led to."""
    masters = KeyFolder(data).masters(time.time())
    async with open_stores(running_url(data), "redis://127.0.0.1:1", PersonalVault(lambda: masters)) as stores:

        async def work(connection: Any) -> list[tuple[str, str, int]]:
            rows = await connection.fetch(LEDGER)
            sealed = [Row(SCORE, row[0], row[1], None, None) for row in rows]
            sources = await stores.personal.sources(connection, sealed)
            return [(str(row[0]), str(at.user_agent), row[2]) for row, at in zip(rows, sources, strict=True)]

        return await stores.database.run(work)
