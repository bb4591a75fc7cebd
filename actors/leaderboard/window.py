"""What one channel has shown last, and the difference to what is true now. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import replace

from actors.leaderboard.events import (
    BoardDiff,
    BoardFull,
    Channel,
    NewLeader,
    News,
    RankChange,
    Row,
    ScoreChange,
    checksum_text,
)
from actors.leaderboard.update import Update
from actors.ports import UserId


class Window:
    """The shown rows of a channel, in numbered versions of one epoch, from `version` on."""

    def __init__(
        self,
        channel: Channel,
        epoch: str,
        rows: tuple[Row, ...],
        total: int,
        at_us: int,
        *,
        version: int = 1,
        resets_us: int | None = None,
    ) -> None:
        check = _check(rows)
        self._shown = Update(BoardFull(channel, epoch, version, rows, total, check, at_us, resets_us))

    @property
    def shown(self) -> Update:
        """The last step."""
        return self._shown

    def advance(
        self,
        rows: tuple[Row, ...],
        total: int,
        at_us: int,
        ranks: Mapping[UserId, tuple[int | None, int]],
        scores: Mapping[UserId, int],
    ) -> Update | None:
        """Step to `rows`, or None when nothing visible changed.

        `ranks` gives the rank before and now of players who have come into these rows or left them. Before: None for
        one who was not on the board. `scores` gives what those who have come had before.
        """
        old = self._shown.full
        full = self._next(rows, total, at_us)
        if full is None:
            return None
        self._shown = Update(full, _diff(old, full), _news(old, full, ranks, scores))
        return self._shown

    def catch_up(self, rows: tuple[Row, ...], total: int, at_us: int) -> None:
        """Step to `rows` after a time in which nobody watched: whoever comes back needs the difference, but no news."""
        old = self._shown.full
        full = self._next(rows, total, at_us)
        if full is not None:
            self._shown = Update(full, _diff(old, full))

    def _next(self, rows: tuple[Row, ...], total: int, at_us: int) -> BoardFull | None:
        old = self._shown.full
        if rows == old.rows and total == old.total:
            return None
        return replace(old, version=old.version + 1, rows=rows, total=total, check=_check(rows), at_us=at_us)


def _check(rows: tuple[Row, ...]) -> int:
    return zlib.crc32(checksum_text(rows).encode())


def _diff(old: BoardFull, new: BoardFull) -> BoardDiff:
    before = {row.user_id: row for row in old.rows}
    here = {row.user_id for row in new.rows}
    return BoardDiff(
        channel=new.channel,
        epoch=new.epoch,
        from_version=old.version,
        to_version=new.version,
        changes=tuple(row for row in new.rows if before.get(row.user_id) != row),
        removed=tuple(user_id for user_id in before if user_id not in here),
        total=new.total,
        check=new.check,
        at_us=new.at_us,
    )


def _news(
    old: BoardFull, new: BoardFull, ranks: Mapping[UserId, tuple[int | None, int]], scores: Mapping[UserId, int]
) -> tuple[News, ...]:
    before = {row.user_id: row for row in old.rows}
    here = {row.user_id for row in new.rows}
    news: list[News] = []
    leader, last = (new.rows or (None,))[0], (old.rows or (None,))[0]
    if leader is not None and (last is None or last.user_id != leader.user_id):
        news.append(NewLeader(new.channel, leader, last, new.at_us))
    for row in new.rows:
        shown = before.get(row.user_id)
        old_rank = shown.rank if shown is not None else ranks.get(row.user_id, (None, 0))[0]
        old_score = shown.score if shown is not None else scores.get(row.user_id, 0)
        if old_rank != row.rank:
            news.append(_rank_change(new, row, old_rank, row.rank))
        if old_score != row.score:
            news.append(_score_change(new, row, old_score, old_rank))
    gone = [row for row in old.rows if row.user_id not in here and row.user_id in ranks]
    news.extend(_rank_change(new, row, row.rank, ranks[row.user_id][1]) for row in gone)
    return tuple(news)


def _rank_change(new: BoardFull, row: Row, old_rank: int | None, new_rank: int) -> RankChange:
    return RankChange(new.channel, row.user_id, row.username, old_rank, new_rank, row.score, new.at_us)


def _score_change(new: BoardFull, row: Row, old_score: int, old_rank: int | None) -> ScoreChange:
    return ScoreChange(new.channel, row.user_id, row.username, old_score, row.score, old_rank, row.rank, new.at_us)
