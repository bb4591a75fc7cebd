"""What a board needs from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

from actors.leaderboard.events import Channel
from actors.leaderboard.loading import Loading
from actors.leaderboard.present import Present
from actors.leaderboard.published import PublishedBoards
from actors.leaderboard.ranking import Ranking
from actors.leaderboard.update import Update
from actors.ports import BoardPart, BoardScope, Ids, Period, ScoreStore


@dataclass(frozen=True, slots=True)
class BoardWorld:
    """Handed to all incarnations of all boards.

    `broadcast` hands a step to its channel's audience and never waits; an ActorError says that it was not taken, and
    then the board says it again. `watched` outlives incarnations: the channels that have an audience. `loading` hears
    how far the loading of a board is, page by page. `zones` says where the days of a period end, UTC if nothing is
    said. Boards that are not of everybody's totals are loaded inside of what `turn` gives, for nothing waits for them,
    and are told to `mirror` piece by piece; an ActorError says that a piece was not taken. `let_go` takes rankings that
    nobody asks any more, and never raises.
    """

    store: ScoreStore
    clock: Present
    ids: Ids
    published: PublishedBoards
    watched: set[Channel]
    broadcast: Callable[[Update], None]
    tick_s: float = 1.0
    loading: Callable[[Loading], None] = lambda _: None
    zones: Mapping[Period, tzinfo] = field(default_factory=dict)
    turn: Callable[[BoardScope], AbstractAsyncContextManager[object]] = nullcontext
    mirror: Callable[[BoardPart], None] = lambda _: None
    let_go: Callable[[Ranking], None] = lambda _: None

    def zone(self, period: Period) -> tzinfo:
        """Where the days of a period end."""
        return self.zones.get(period, UTC)

    @contextmanager
    def kept_if_whole(self, ranking: Ranking) -> Iterator[None]:
        """Let go of a ranking if the work on it fails, or is cancelled, in the body."""
        try:
            yield
        except BaseException:
            self.let_go(ranking)
            raise
