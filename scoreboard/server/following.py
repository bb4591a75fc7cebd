"""How one worker hears what the others commit: the actors that see to it, and what an operator is told of them."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

from actors.leaderboard.active import ActiveBoards
from actors.ledger.follower import FollowerActor, FollowerHooks, FollowerWorld, Lag
from actors.ledger.history import History
from actors.ledger.listener import ListenerActor, ListenerWorld
from actors.ledger.messages import Following, GoToEnd
from actors.ports import ALL_TIME
from actors.runtime import ActorError, AnyActor, Ref
from scoreboard.observe.logs import Logger
from scoreboard.observe.metrics import Metrics
from scoreboard.server.boards import Boards
from scoreboard.server.outside import CoreHooks, CorePorts

#: For it to be known from where on others are followed. If it is not by then, boards are read once more later.
BEGIN_WITHIN_S = 15.0
#: A worker that is so far behind at a look is worth a line in the log, and so is one that has caught up then.
LATE_S = 5.0
#: A line that would be written with every look is written so often.
AGAIN_S = 30.0


async def follow_others(
    solo: Callable[[str, Callable[[], AnyActor]], Awaitable[Ref]],
    ports: CorePorts,
    hooks: CoreHooks,
    wired: Boards,
    look_every_s: float,
    history: History,
) -> None:
    """Start what hears of other workers, and tells `history` when the store has another one.

    Boards that are read when this returns miss nothing.
    """
    listeners: list[Ref] = []

    def go_to_end() -> None:
        for listener in listeners:
            listener.tell(GoToEnd())

    world = FollowerWorld(
        ports.batches,
        wired.boards.ref(ALL_TIME),
        ActiveBoards(wired.boards),
        go_to_end,
        hooks.follower,
        loaded=lambda: bool(wired.boards.keys),
        history=history,
        look_every_s=look_every_s,
    )
    follower = await solo("follower", partial(FollowerActor, world))
    listening = ListenerWorld(ports.events, follower, hooks.place_skipped)
    listeners.append(await solo("listener", partial(ListenerActor, listening)))
    with suppress(ActorError):  # it is tried again, and then with boards in memory
        await follower.ask(Following(), within=BEGIN_WITHIN_S)


class FollowingLog:
    """Counts what a worker hears of others, and says in the log when something is wrong, and when it is right again."""

    def __init__(self, metrics: Metrics, log: Logger, now: Callable[[], float]) -> None:
        self._metrics = metrics
        self._log = log
        self._now = now
        self._late = self._deaf = False
        self._missed_at = -math.inf

    @property
    def hooks(self) -> FollowerHooks:
        """What the follower is given."""
        return FollowerHooks(
            heard=self._metrics.followed,
            lag=self._lag,
            healed=self._metrics.follower_healed,
            lost=self._lost,
            deaf=self._turned_deaf,
            missed=self._missed,
            rewritten=self._rewritten,
        )

    def skipped(self, why: str) -> None:
        """The place in the event log was given up."""
        self._metrics.follower_skipped()
        self._log.info("event_log_skipped", reason=why, meaning="what was not heard is read from Postgres")

    def _lag(self, lag: Lag) -> None:
        self._metrics.follower_lag(lag.batches, lag.seconds)
        late = lag.seconds > LATE_S
        if late and not self._late:
            self._log.warning("behind_other_workers", batches=lag.batches, seconds=round(lag.seconds, 1))
        elif self._late and not late:
            self._log.info("level_with_other_workers")
        self._late = late

    def _lost(self, batches: int | None) -> None:
        self._metrics.follower_lost()
        what = "players" if batches is None else "batches"
        self._log.warning("boards_read_again", count=batches, reason=f"too many {what} of other workers were missed")

    def _rewritten(self, history: str) -> None:
        self._metrics.follower_lost()
        meaning = "Postgres may have lost its last commits; all boards are read again, now and when this has settled"
        self._log.warning("boards_rebuilt", history=history, meaning=meaning)

    def _turned_deaf(self, deaf: bool) -> None:  # noqa: FBT001 - as the hook is called
        if deaf:
            meaning = "boards follow other workers through Postgres alone, a little later"
            self._log.warning("event_log_does_not_answer", meaning=meaning)
        elif self._deaf:
            self._log.info("event_log_answers_again")
        self._deaf = deaf

    def _missed(self, error: Exception) -> None:
        self._metrics.follower_missed()
        if self._now() >= self._missed_at + AGAIN_S:
            self._missed_at = self._now()
            self._log.warning("other_workers_not_read", reason=repr(error))
