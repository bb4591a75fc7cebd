"""The same in the plainest way: a board that is sorted anew each time, and a client that keeps the feed's rule."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

from hypothesis import strategies as st

from actors.leaderboard.events import BoardDiff, BoardEvent, BoardFull, Row, checksum_text
from actors.ports import ScoreFact, UserId

PLAYERS = [UserId(name) for name in "abcdefgh"]


def fact(name: str, score: int, version: int | None = None, reached_us: int = 0) -> ScoreFact:
    """A fact about a player; the version is the score unless given."""
    return ScoreFact(UserId(name), name.upper(), score, score if version is None else version, reached_us)


@dataclass
class NaiveBoard:
    """The newest fact of each player."""

    facts: dict[UserId, ScoreFact] = field(default_factory=dict)

    def apply(self, new: ScoreFact) -> tuple[int | None, int]:
        before = self.ranks().get(new.user_id)
        old = self.facts.get(new.user_id)
        if old is None or new.version > old.version:
            self.facts[new.user_id] = new
        return before, self.ranks()[new.user_id]

    def rows(self) -> tuple[Row, ...]:
        order = sorted(self.facts.values(), key=lambda each: (-each.score, each.reached_us, each.user_id))
        return tuple(
            Row(rank, each.user_id, each.username, each.score, each.reached_us) for rank, each in enumerate(order, 1)
        )

    def ranks(self) -> dict[UserId, int]:
        return {row.user_id: row.rank for row in self.rows()}


@dataclass
class Client:
    """What a page keeps of one channel. `asks` counts how often it had to subscribe again."""

    epoch: str | None = None
    version: int = 0
    rows: tuple[Row, ...] = ()
    total: int = 0
    fulls: int = 0
    diffs: int = 0
    asks: int = 0

    def take(self, event: BoardEvent) -> None:
        match event:
            case BoardFull():
                self.fulls += 1
                assert check_of(event.rows) == event.check
                assert event.epoch != self.epoch or event.version >= self.version, "an old board was shown as new"
                self.epoch, self.version = event.epoch, event.version
                self.rows, self.total = event.rows, event.total
            case BoardDiff():
                self._step(event)

    def _step(self, diff: BoardDiff) -> None:
        self.diffs += 1
        if diff.epoch == self.epoch and diff.to_version <= self.version:
            return
        rows = {row.user_id: row for row in self.rows if row.user_id not in diff.removed}
        rows.update((row.user_id, row) for row in diff.changes)
        ordered = tuple(sorted(rows.values(), key=lambda row: row.rank))
        if (diff.epoch, diff.from_version) != (self.epoch, self.version) or check_of(ordered) != diff.check:
            self.asks += 1
            return
        self.version, self.rows, self.total = diff.to_version, ordered, diff.total


def check_of(rows: tuple[Row, ...]) -> int:
    """The checksum of rows."""
    return zlib.crc32(checksum_text(rows).encode())


@st.composite
def histories(draw: st.DrawFn, steps: int = 40) -> list[ScoreFact]:
    """Facts of few players with many ties; some come twice or late, and some scores fall (a correction)."""
    history: list[ScoreFact] = []
    versions = dict.fromkeys(PLAYERS, 0)
    for _ in range(draw(st.integers(0, steps))):
        if history and draw(st.integers(0, 5)) == 0:
            history.append(draw(st.sampled_from(history)))
            continue
        name = draw(st.sampled_from(PLAYERS))
        versions[name] += draw(st.integers(1, 2))
        history.append(fact(name, draw(st.integers(0, 6)), versions[name], draw(st.integers(0, 3))))
    return history
