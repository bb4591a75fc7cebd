"""A server, a few players who score evenly, and crowds on its live feed: what the measures of connections share."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Self

from tests.bench.accounts import register
from tests.bench.feed import GAP, KEEP_ALIVE, PLAYERS
from tests.bench.figure import Options
from tests.bench.generator import Command, Generator
from tests.bench.numbers import Lag, read_numbers
from tests.bench.scoreboard_subject import ScoreboardSubject
from tests.bench.statistics import percentile
from tests.bench.subject import SubjectFactory, wait_until_quiet

WARM_UP_S = 2.0
TAIL_S = 0.5


class Untrue(Exception):
    """What clients show is not the true board."""


class NotShown(Exception):
    """A score that was acknowledged did not reach a client in time."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time with scores: what was sent, what the crowd saw and did, what it cost.

    `server_share` and `crowd_share` are of one core, the crowd's with that of all its processes.
    """

    seconds: float
    sent: list[tuple[int, str, int]]
    seen: Command
    lag: Lag
    counted: dict[str, float]
    server_share: float
    crowd_share: float

    def screen_ms(self) -> list[float]:
        """Sorted, for each score and each sampled client: from sending the increment to the frame that shows it."""
        shown = {piece["number"]: piece["scores"] for piece in self.seen["pieces"]}
        found = []
        for arrivals in self.seen["arrivals"]:
            for sent_ns, user_id, score in self.sent:
                at_ns = next((at for at, piece in arrivals if shown[piece].get(user_id, -1) >= score), None)
                if at_ns is None:
                    raise NotShown(f"the score {score} of {user_id} was not shown")
                found.append((at_ns - sent_ns) / 1e6)
        return sorted(found)

    def screen(self, prefix: str = "") -> dict[str, float]:
        """Median and p99 of that."""
        found = self.screen_ms()
        return {f"{prefix}median": percentile(found, 50), f"{prefix}p99": percentile(found, 99)}


class Arena:
    """The server with its load generators; `gathering` starts and ends them."""

    def __init__(self, subject: ScoreboardSubject, trickle: Generator, scope: ExitStack, token: str) -> None:
        self.subject = subject
        self.player_token = token
        self._trickle = trickle
        self._scope = scope

    def crowd(self, **config: Any) -> Generator:
        """A process with clients; `config` as `tests.bench.crowd_generator` takes it."""
        return self._scope.enter_context(
            Generator("tests.bench.crowd_generator", port=self.subject.port, **config),
        )

    def warm_up(self, crowd: Generator, viewers: int) -> None:
        """Set the scores apart; then some scores with so many clients, who stay."""
        self._trickle.ask(spread=GAP)
        crowd.ask(join=viewers, per_s=1000, settle=True)
        self.stretch(crowd, WARM_UP_S, 4.0)
        self.settle()

    def settle(self) -> None:
        """Until the server has done what it had to do."""
        wait_until_quiet(self.subject)

    def stretch(
        self,
        crowd: Generator,
        seconds: float,
        per_s: float,
        meanwhile: Callable[[], object] | None = None,
        **command: Any,
    ) -> Stretch:
        """Scores, evenly, for so long and until the last one has been shown; the crowd obeys a command meanwhile.

        `meanwhile` is called every second.
        """
        count = round(seconds * per_s)
        before, numbers = self.subject.usage(), read_numbers(self.subject.port)
        began = time.monotonic()
        self._trickle.begin(count=count, every_s=1 / per_s)
        crowd.begin(watch_s=seconds + self.subject.tick_s + TAIL_S, **command)
        if meanwhile is not None:
            for number in range(int(seconds)):
                meanwhile()
                time.sleep(max(0.0, began + number + 1 - time.monotonic()))
        seen = crowd.result()
        sent = self._trickle.result()["sent"]
        took_s = time.monotonic() - began
        after = read_numbers(self.subject.port)
        used_s = self.subject.usage().since(before).server_s
        counted = {name: value - numbers.values.get(name, 0.0) for name, value in after.values.items()}
        shares = (used_s / took_s, seen["generator_s"] / seen["seconds"])
        return Stretch(took_s, sent, seen, after.lag.since(numbers.lag), counted, *shares)

    def require_true(self, seen: Command) -> None:
        """See the function of this name."""
        require_true(self.subject.port, seen)


def require_true(port: int, seen: Command) -> None:
    """Every client shows the newest board, and it is the one that REST tells.

    Raises:
        Untrue: it is not so.
    """
    rows = [(user_id, score) for user_id, score in seen["board"]]
    if seen["elsewhere"] or rows != top_ten(port):
        raise Untrue(f"{seen['elsewhere']} clients are elsewhere than the others, who show {rows}")


def top_ten(port: int) -> list[tuple[str, int]]:
    """Who leads, with which score, in order of rank."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/scores/top?limit=10", timeout=30.0) as answer:
        return [(row["userId"], row["score"]) for row in json.load(answer)["leaderboard"]]


@contextmanager
def gathering(start: SubjectFactory, **settings: str) -> Iterator[Arena]:
    """A fresh server with these settings, some players, and no client yet; no pings unless a setting says otherwise."""
    with ExitStack() as scope:
        subject = scope.enter_context(start(**KEEP_ALIVE | settings))
        assert isinstance(subject, ScoreboardSubject)
        players = register(subject.port, PLAYERS)
        trickle = Generator(
            "tests.bench.trickle_generator", port=subject.port, players=[asdict(each) for each in players]
        )
        yield Arena(subject, scope.enter_context(trickle), scope, players[0].token)


class AtArena:
    """What measures on one arena share: it is there while they are entered.

    Args:
        settings: Of the server.
    """

    def __init__(self, start: SubjectFactory, options: Options, **settings: str) -> None:
        self._start = start
        self._options = options
        self._settings = settings
        self._scope = ExitStack()
        self._arena: Arena

    def __enter__(self) -> Self:
        self._arena = self._scope.enter_context(gathering(self._start, **self._settings))
        self._gather()
        return self

    def __exit__(self, *_: object) -> None:
        self._scope.close()

    def _gather(self) -> None:
        """Start the crowds."""
        raise NotImplementedError
