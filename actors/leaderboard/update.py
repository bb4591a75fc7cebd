"""One step of what a channel shows: immutable, shared by all connections, encoded once for each wire format."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from actors.leaderboard.events import BoardDiff, BoardEvent, BoardFull, Channel, News


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

    __slots__ = ("_frames", "channel", "diff", "epoch", "full", "news", "version")

    def __init__(self, full: BoardFull, diff: BoardDiff | None = None, news: tuple[News, ...] = ()) -> None:
        self.full = full
        self.diff = diff
        self.news = news
        # Every connection asks for these at every step.
        self.channel: Channel = full.channel
        self.epoch: str = full.epoch
        self.version: int = full.version
        self._frames: dict[tuple[str, str], bytes] = {}

    def __repr__(self) -> str:
        return f"<Update {self.channel} {self.epoch}/{self.version}>"

    def follows(self, epoch: str | None, version: int) -> bool:
        """True if a client that shows `version` of `epoch` can take the diff."""
        return self.diff is not None and self.diff.epoch == epoch and self.diff.from_version == version

    def full_frames(self, dialect: Dialect) -> bytes:
        """The snapshot alone, for one who comes anew or was behind."""
        return self._frames.get((dialect.name, "full")) or self._encode(dialect, "full", (self.full,))

    def step_frames(self, dialect: Dialect, *, full: bool) -> bytes:
        """The step for one who has followed: the diff (or, for those who asked so, the snapshot) and the news."""
        if full or self.diff is None:
            return self._frames.get((dialect.name, "step")) or self._encode(dialect, "step", (self.full, *self.news))
        return self._frames.get((dialect.name, "diff")) or self._encode(dialect, "diff", (self.diff, *self.news))

    def _encode(self, dialect: Dialect, kind: str, events: Sequence[BoardEvent]) -> bytes:
        frames = self._frames[dialect.name, kind] = dialect.frames(events)
        return frames
