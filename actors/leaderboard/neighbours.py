"""All who watch the surroundings of players on one board. Looks only at those whose window facts have touched.

Once in a tick it asks the board which ranks were touched, and then for the windows that meet them, so many in one
question. Others are served between two questions. A window is as the board stands at that moment, and facts that come
meanwhile touch it again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

import trio

from actors.leaderboard.events import Channel
from actors.leaderboard.messages import JoinAround, LeaveAround, Subscriber, TakeTouched, Windows
from actors.leaderboard.surroundings import Surroundings
from actors.leaderboard.touched import Ranks
from actors.ports import Ids, WallClock
from actors.runtime import ActorError, BatchActor, Ref, Request

#: So many windows are asked for at once: some milliseconds' work (``scripts/bench around``).
SLICE = 50
#: So many watchers are compared with the ranks that were touched before others get a turn.
COMPARED = 1_000

Watchers = dict[tuple[Subscriber, Channel], Surroundings]


class NeighboursActor(BatchActor):
    """Shows each watcher a window of its own.

    Args:
        board: Whom to ask.
        watchers: Outlives incarnations.
        clock: The time of day.
        ids: Names epochs.
        tick_s: A window changes at most once in so many seconds.
        looked_at: Is told how many windows were asked for.
        within_s: For an answer of the board.
    """

    max_batch = SLICE

    def __init__(
        self,
        board: Ref,
        watchers: Watchers,
        *,
        clock: WallClock,
        ids: Ids,
        tick_s: float = 1.0,
        looked_at: Callable[[int], None] = lambda _: None,
        within_s: float = 10.0,
    ) -> None:
        self._board = board
        self._watchers = watchers
        self._clock, self._ids = clock, ids
        self._tick_s, self._within_s = tick_s, within_s
        self._looked_at = looked_at
        self._last_tick = -math.inf
        self._collecting = False

    def __repr__(self) -> str:
        return f"<NeighboursActor, {len(self._watchers)} watchers>"

    def may_passivate(self) -> bool:
        """Not while somebody watches."""
        return not self._watchers

    async def started(self) -> None:
        """After a crash it is not known who was shown what came last."""
        if self._watchers:
            self._begin_anew()
            self.wake_at = trio.current_time()

    async def receive_batch(self, requests: Sequence[Request]) -> None:
        """Let join and leave in their order; then show the new ones where they stand."""
        came: Watchers = {}
        for request in requests:
            match request.message:
                case JoinAround(subscriber, channel, user_id):
                    watcher = Surroundings(subscriber, channel, user_id, self._ids.nonce())
                    self._watchers[subscriber, channel] = came[subscriber, channel] = watcher
                    request.answer(None)
                case LeaveAround(subscriber, channel):
                    self._watchers.pop((subscriber, channel), None)
                    came.pop((subscriber, channel), None)
                case _:
                    raise TypeError(f"neighbours do not understand {request.message!r}")
        if came and not self._collecting:  # before the first is shown anything, or what comes next were not known
            self._collecting = True
            await self._take_touched()
        await self._show(came.values())
        self._set_alarm()

    async def woken(self) -> None:
        """Look at all whose windows were touched, and at those who have been shown nothing yet."""
        self._last_tick = trio.current_time()
        if self._watchers:
            touched = await self._take_touched()
            if touched is None:
                self._begin_anew()
            await self._show(await self._touched_by(touched or ()))
        self._set_alarm()

    async def _touched_by(self, ranks: Sequence[Ranks]) -> list[Surroundings]:
        firsts = [each.first for each in ranks]
        found = []
        for count, each in enumerate(self._watchers.values(), 1):
            if each.shown is None or each.is_touched(ranks, firsts):
                found.append(each)
            if count % COMPARED == 0:
                await trio.lowlevel.checkpoint()  # nobody joins meanwhile: this is the only task that lets them in
        return found

    async def _take_touched(self) -> Sequence[Ranks] | None:
        try:
            return await self._board.ask(TakeTouched(), within=self._within_s)
        except ActorError:
            return None  # it may have been told, and nobody has heard it

    def _set_alarm(self) -> None:
        due = max(self._last_tick + self._tick_s, trio.current_time())
        self.wake_at = due if self._watchers else math.inf

    def _begin_anew(self) -> None:
        for watcher in self._watchers.values():
            watcher.begin_anew(self._ids.nonce())

    async def _show(self, chosen: Iterable[Surroundings]) -> None:
        waiting = iter(chosen)
        while some := tuple(islice(waiting, SLICE)):
            wanted = tuple((each.user_id, each.channel.size) for each in some)
            try:
                answer = await self._board.ask(Windows(wanted), within=self._within_s)
            except ActorError:
                for each in (*some, *waiting):
                    each.begin_anew(self._ids.nonce())
                return
            now_us = self._clock.now_us()
            self._looked_at(len(some))
            for each, rows, total in zip(some, answer.windows, answer.totals, strict=True):
                step = each.step(rows, total, now_us)
                if step is not None and not each.subscriber.offer(step):
                    self._watchers.pop((each.subscriber, each.channel), None)
