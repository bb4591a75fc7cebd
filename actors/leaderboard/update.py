"""One step of what a channel shows: immutable, shared by all connections, encoded once for each wire format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from actors.leaderboard.events import BoardDiff, BoardEvent, BoardFull, Channel, NewLeader, RankChange


class Dialect(Protocol):
    """A wire format: a name, and a function that makes ready frames (header included) of events."""

    @property
    def name(self) -> str:
        """Names the format, so that frames are made once for each."""
        ...

    def frames(self, events: Sequence[BoardEvent]) -> bytes:
        """The events as frames, one after the other, in one piece."""
        ...


class Update:
    """What a channel shows now (`full`), and how it came there from the step before (`diff`, None at the first)."""

    __slots__ = ("_frames", "diff", "full", "news")

    def __init__(
        self, full: BoardFull, diff: BoardDiff | None = None, news: tuple[RankChange | NewLeader, ...] = ()
    ) -> None:
        self.full = full
        self.diff = diff
        self.news = news
        self._frames: dict[tuple[str, bool, bool], bytes] = {}

    def __repr__(self) -> str:
        return f"<Update {self.channel} {self.full.epoch}/{self.full.version}>"

    @property
    def channel(self) -> Channel:
        """The window that this is about."""
        return self.full.channel

    def follows(self, epoch: str | None, version: int) -> bool:
        """True if a client that shows `version` of `epoch` can take the diff."""
        return self.diff is not None and self.diff.epoch == epoch and self.diff.from_version == version

    def full_frames(self, dialect: Dialect) -> bytes:
        """The snapshot alone, for one who comes anew or was behind."""
        return self._once(dialect, (False, False), lambda: (self.full,))

    def step_frames(self, dialect: Dialect, *, full: bool) -> bytes:
        """The step for one who has followed: the diff (or, for those who asked so, the snapshot) and the news."""
        first: BoardEvent = self.full if full or self.diff is None else self.diff
        return self._once(dialect, (True, full), lambda: (first, *self.news))

    def _once(self, dialect: Dialect, kind: tuple[bool, bool], events: Callable[[], Sequence[BoardEvent]]) -> bytes:
        key = (dialect.name, *kind)
        if key not in self._frames:
            self._frames[key] = dialect.frames(events())
        return self._frames[key]
