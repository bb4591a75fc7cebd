"""The end of a period with a million players: of the board in memory, and in the archive in Postgres."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from actors.ports import Span
from tests.bench import rollover_archive
from tests.bench.figure import Figure, Mark, Options, Reading
from tests.bench.scoreboard_subject import TOP
from tests.bench.subject import SubjectFactory

NAME = "rollover"
PLAYERS, PLAYERS_QUICK = 1_000_000, 50_000
QUICK_S = 4.0
WITHIN_S = 200.0
SECOND, TURN = Mark(1000), Mark(25)


class RolloverMeasure:
    """The board in a process of its own each round; the archive in one database, the same day under another name."""

    names: tuple[str, ...] = (NAME,)

    def __init__(self, _start: SubjectFactory, options: Options) -> None:
        self._scope = ExitStack()
        self._players = PLAYERS_QUICK if options.window_s <= QUICK_S else PLAYERS
        self._data: Path
        self._day: Span
        self.figures: tuple[Figure, ...] = (
            Figure("seen_ms", f"board of {self._players:,}: end to new epoch at a reader", "ms", SECOND),
            Figure("shown_ms", "board: end to new epoch at who watches", "ms", SECOND),
            Figure("gone_ms", "board: end to all players let go", "ms"),
            Figure("turn_ms", "board: longest turn meanwhile", "ms", TURN),
            Figure("crash_turn_ms", "board: longest turn when it has crashed", "ms", TURN),
            Figure("passive_turn_ms", "board: longest turn when it is passivated", "ms", TURN),
            Figure("claim_ms", f"archive of {self._players:,}: claim", "ms", SECOND),
            Figure("yet_s", "archive: page before it is final", "s"),
            Figure("close_s", "archive: closing, in the background", "s"),
            Figure("close_turn_ms", "archive: longest turn meanwhile", "ms", TURN),
            Figure("commit_alone", "archive: a score's transaction, nothing else", "ms"),
            Figure("commit_beside", "archive: a score's transaction while closing", "ms"),
            Figure("commit_worst", "archive: the longest of these", "ms"),
            Figure("page_ms", "archive: first page of what is final", "ms"),
            Figure("deep_ms", "archive: any page of what is final", "ms"),
        )

    def __enter__(self) -> Self:
        home = Path(self._scope.enter_context(tempfile.TemporaryDirectory(prefix="scoreboard-bench-")))
        home.chmod(0o755)  # the embedded stores may run under another account
        self._data = home / "data"
        self._day = rollover_archive.fill(self._data, self._players)
        return self

    def __exit__(self, *_: object) -> None:
        self._scope.close()

    def warm_up(self) -> None:
        """What is over once a day is never warm."""

    def round(self, number: int) -> Reading:
        """Both."""
        command = [sys.executable, "-m", "tests.bench.rollover_board", str(self._players)]
        answer = subprocess.run(command, cwd=TOP, check=True, stdout=subprocess.PIPE, timeout=WITHIN_S)
        board: dict[str, float] = json.loads(answer.stdout)
        return Reading(board | rollover_archive.measured(self._data, self._day, self._players, number))
