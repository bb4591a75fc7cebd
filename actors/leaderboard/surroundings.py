"""What one watcher has been shown of a player's surroundings, and where that stood. Synchronous."""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections.abc import Sequence

from actors.leaderboard.events import (
    BoardDiff,
    BoardFull,
    Channel,
    News,
    OwnDiff,
    OwnFull,
    RankChange,
    Row,
    ScoreChange,
    checksum_text,
)
from actors.leaderboard.messages import Subscriber
from actors.leaderboard.touched import END, Ranks
from actors.leaderboard.update import Update
from actors.ports import UserId


class Surroundings:
    """One watcher of one player. `epoch` is its own: nobody else is shown the same."""

    __slots__ = ("channel", "epoch", "first", "last", "shown", "subscriber", "user_id")

    def __init__(self, subscriber: Subscriber, channel: Channel, user_id: UserId, epoch: str) -> None:
        self.subscriber = subscriber
        self.channel = channel
        self.user_id = user_id
        self.epoch = epoch
        self.shown: BoardFull | None = None
        self.first = self.last = END  # the ranks that matter

    def __repr__(self) -> str:
        return f"<Surroundings of {self.user_id}, {self.channel.size} on either side>"

    def is_touched(self, ranks: Sequence[Ranks], firsts: Sequence[int]) -> bool:
        """Whether one of these intervals, which begin at `firsts`, holds a rank that matters."""
        at = bisect_right(firsts, self.last)
        return at > 0 and ranks[at - 1].last >= self.first

    def begin_anew(self, epoch: str) -> None:
        """The board is another one: what comes next is a snapshot."""
        self.epoch, self.shown = epoch, None

    def step(self, rows: tuple[Row, ...], total: int, at_us: int) -> Update | None:
        """Step to these rows; None when they are what was shown."""
        old = self.shown
        if old is not None and old.rows == rows:
            return None
        self._stand(rows)
        kind = BoardFull if self.channel.size else OwnFull
        version = 1 if old is None else old.version + 1
        check = zlib.crc32(checksum_text(rows).encode())
        full = self.shown = kind(self.channel, self.epoch, version, rows, total, check, at_us)
        if old is None:
            return Update(full)
        return Update(full, _diff(old, full), _own_news(old, full))

    def _stand(self, rows: tuple[Row, ...]) -> None:
        self.first = self.last = END
        for row in rows:
            if row.user_id == self.user_id:
                self.first, self.last = row.rank - self.channel.size, row.rank + self.channel.size


def _diff(old: BoardFull, new: BoardFull) -> BoardDiff:
    before = {row.user_id: row for row in old.rows}
    here = {row.user_id for row in new.rows}
    changes = tuple(row for row in new.rows if before.get(row.user_id) != row)
    removed = tuple(user_id for user_id in before if user_id not in here)
    kind = OwnDiff if isinstance(new, OwnFull) else BoardDiff
    return kind(new.channel, new.epoch, old.version, new.version, changes, removed, new.total, new.check, new.at_us)


def _own_news(old: BoardFull, new: BoardFull) -> tuple[News, ...]:
    """Of a player's own channel: what else has changed shows in the rows."""
    if not (isinstance(new, OwnFull) and new.rows):
        return ()
    row, was = new.rows[0], old.rows[0] if old.rows else None
    old_rank, old_score = (None, 0) if was is None else (was.rank, was.score)
    news: list[News] = []
    if old_score != row.score:
        news.append(
            ScoreChange(new.channel, row.user_id, row.username, old_score, row.score, old_rank, row.rank, new.at_us)
        )
    if old_rank != row.rank:
        news.append(RankChange(new.channel, row.user_id, row.username, old_rank, row.rank, row.score, new.at_us))
    return tuple(news)
