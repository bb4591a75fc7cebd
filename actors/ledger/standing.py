"""How players stand: one writer, which sees to it that in the end the boards show what the store says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import trio

from actors.ledger.messages import Announce, ChangeStanding, FindStandings, LedgerUnavailable
from actors.ports import StandingStore, Stood, StoreError, StoreUnavailable, UnknownUser, UserId
from actors.runtime import ActorError, BatchActor, Ref, Request

R = TypeVar("R")

#: A write that may or may not have been done is made again after these pauses, in seconds.
PAUSES_S = (0.05, 0.2, 0.5)
#: So many players are looked at in one turn.
SUSPECTS = 100

AWAY = "How players stand cannot be read or changed just now. Ask the same again."


@dataclass(frozen=True, slots=True)
class StandingWorld:
    """What this needs from outside. `stood` hears of each change that was made here.

    What may have been done though the store was away, or of which the boards could not hear, is looked at again after
    `look_again_s`, for at most `most_suspects` players; `lost` counts those who are too many.
    """

    store: StandingStore
    ledger: Ref
    stood: Callable[[UserId, Stood], None] = lambda _user_id, _stood: None
    lost: Callable[[int], None] = lambda _: None
    store_within_s: float = 15.0
    boards_within_s: float = 1.0
    look_again_s: float = 5.0
    most_suspects: int = 10_000


class StandingActor(BatchActor):
    """Asks the store for all that wait side by side."""

    max_batch = 32

    def __init__(self, world: StandingWorld) -> None:
        self._world = world
        self._suspects: dict[UserId, None] = {}  # of whom the boards may not know how they stand

    def __repr__(self) -> str:
        return f"<StandingActor, {len(self._suspects)} to be looked at>"

    async def receive_batch(self, requests: Sequence[Request]) -> None:
        """Answer all; a store that is away refuses."""
        async with trio.open_nursery() as nursery:
            for request in requests:
                nursery.start_soon(self._serve, request)

    async def woken(self) -> None:
        """Tell the boards of those whom they may not know as they are. What they know already changes nothing there."""
        for user_id in list(islice(self._suspects, SUSPECTS)):
            try:
                with trio.fail_after(self._world.store_within_s):
                    fact = await self._world.store.total(user_id)
                if fact is not None:
                    self._world.ledger.tell(Announce(fact))
            except (StoreError, ActorError, trio.TooSlowError):
                break
            del self._suspects[user_id]
        self._set_alarm()

    def _set_alarm(self) -> None:
        if self._suspects:
            self.wake_at = trio.current_time() + self._world.look_again_s

    async def _serve(self, request: Request) -> None:
        try:
            with trio.fail_after(self._world.store_within_s):
                request.answer(await self._answer(request.message))
        except (StoreError, trio.TooSlowError) as error:
            away = LedgerUnavailable(AWAY)
            away.__cause__ = error
            request.fail(away)

    async def _answer(self, message: object) -> object:
        match message:
            case FindStandings(user_ids):
                return await self._world.store.standings(user_ids)
            case ChangeStanding():
                return await self._change(message)
        raise TypeError(f"standing does not understand {message!r}")

    async def _change(self, asked: ChangeStanding) -> Stood | UnknownUser:
        try:
            outcome = await _insist(lambda: self._world.store.change_standing(asked.user_id, asked.change, asked.act))
        except (StoreError, trio.Cancelled):
            self._suspect(asked.user_id)
            raise
        if isinstance(outcome, Stood):
            self._world.stood(asked.user_id, outcome)
            await self._tell_boards(outcome)
        return outcome

    async def _tell_boards(self, outcome: Stood) -> None:
        try:
            await self._world.ledger.ask(Announce(outcome.fact), within=self._world.boards_within_s)
        except ActorError:
            self._suspect(outcome.fact.user_id)

    def _suspect(self, user_id: UserId) -> None:
        if user_id not in self._suspects and len(self._suspects) >= self._world.most_suspects:
            self._world.lost(1)
            return
        self._suspects[user_id] = None
        self._set_alarm()


async def _insist(call: Callable[[], Awaitable[R]]) -> R:
    """Make a write, some times over while the store is away: by its promise it then gives the same answer."""
    for pause_s in PAUSES_S:
        try:
            return await call()
        except StoreUnavailable:
            await trio.sleep(pause_s)
    return await call()
