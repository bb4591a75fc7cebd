"""What a board may tell those who watch it. Encoders in ``scoreboard.live`` turn each into bytes, once per dialect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from actors.ports import BoardId, UserId

#: Ends the key of those who watch somebody's surroundings.
AROUND = "around"


class Row(NamedTuple):
    """One line of a board. `rank` counts from 1; `reached_us` is when the score was reached.

    A tuple, because a dozen or a hundred are made to answer one question.
    """

    rank: int
    user_id: UserId
    username: str
    score: int
    reached_us: int
    country: str | None = None
    avatar: str | None = None


class Channel(NamedTuple):
    """A window on a board: its first `size` rows (1 to 100). A tuple, because it is a key at every delivery.

    With `around` it is each watcher's own row, between `size` rows above and below; of size 0 that of the player alone.
    """

    board: BoardId
    size: int
    around: bool = False

    @property
    def key(self) -> str:
        """Names the channel's audience in a directory; of one board all around somebody have the same."""
        return f"{self.board}/{AROUND if self.around else self.size}"

    @classmethod
    def of_key(cls, key: str) -> Channel:
        """The channel of a `key`."""
        board, _, size = key.rpartition("/")
        return cls(BoardId(board), int(size))


@dataclass(frozen=True, slots=True)
class BoardFull:
    """All visible rows of a channel at one version. `resets_us`: when its period ends, None for all time."""

    channel: Channel
    epoch: str
    version: int
    rows: tuple[Row, ...]
    total: int
    check: int
    at_us: int
    resets_us: int | None = None


@dataclass(frozen=True, slots=True)
class BoardDiff:
    """From one version to the next: rows that changed or came, players that left. `check` covers the rows after it."""

    channel: Channel
    epoch: str
    from_version: int
    to_version: int
    changes: tuple[Row, ...]
    removed: tuple[UserId, ...]
    total: int
    check: int | None
    at_us: int


class OwnFull(BoardFull):
    """Where one player stands: a board of the player's own row alone, none if not on the board."""


class OwnDiff(BoardDiff):
    """How that has changed; what it was stands in the news of the same step."""


@dataclass(frozen=True, slots=True)
class RankChange:
    """A visible player has another rank. `old_rank` is None for one who was not ranked before."""

    channel: Channel
    user_id: UserId
    username: str
    old_rank: int | None
    new_rank: int
    score: int
    at_us: int


@dataclass(frozen=True, slots=True)
class ScoreChange:
    """A visible player has another score; 0 before for one who had none. `old_rank` as in `RankChange`."""

    channel: Channel
    user_id: UserId
    username: str
    old_score: int
    new_score: int
    old_rank: int | None
    new_rank: int
    at_us: int


@dataclass(frozen=True, slots=True)
class NewLeader:
    """Somebody else stands first. `previous` is None when the board was empty."""

    channel: Channel
    leader: Row
    previous: Row | None
    at_us: int


#: What a step tells beside the rows; nobody needs it to show the right board.
News = RankChange | ScoreChange | NewLeader
BoardEvent = BoardFull | BoardDiff | News


def checksum_text(rows: tuple[Row, ...]) -> str:
    """The text whose CRC-32 (UTF-8) is a frame's ``check``: ``rank:userId:score`` of each row, joined by ``;``."""
    return ";".join(f"{row.rank}:{row.user_id}:{row.score}" for row in rows)
