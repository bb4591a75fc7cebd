"""How players stand: one writer, which sees to it that in the end the boards show what the store says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import islice

import trio

from actors.ledger.asker import StoreAsker, insist
from actors.ledger.messages import ChangeStanding, FindStandings, LookAgain, TellBoards
from actors.ports import OutOfReach, StandingStore, Stood, StoreError, UnknownUser, UserId
from actors.runtime import ActorError, Ref

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


class StandingActor(StoreAsker):
    """Reads and changes how players stand."""

    def __init__(self, world: StandingWorld) -> None:
        super().__init__(store_within_s=world.store_within_s, away=AWAY)
        self._world = world
        self._suspects: dict[UserId, None] = {}  # of whom the boards may not know how they stand

    def __repr__(self) -> str:
        return f"<StandingActor, {len(self._suspects)} to be looked at>"

    async def woken(self) -> None:
        """Tell the boards of those whom they may not know as they are. What they know already changes nothing there."""
        for user_id in list(islice(self._suspects, SUSPECTS)):
            try:
                with trio.fail_after(self._world.store_within_s):
                    fact = await self._world.store.total(user_id)
                if fact is not None:
                    self._world.ledger.tell(TellBoards(fact))
            except (StoreError, ActorError, trio.TooSlowError):
                break
            del self._suspects[user_id]
        self._set_alarm()

    def _set_alarm(self) -> None:
        if self._suspects:
            self.wake_at = trio.current_time() + self._world.look_again_s

    async def _answer(self, message: object) -> object:
        match message:
            case FindStandings(user_ids):
                return await self._world.store.standings(user_ids)
            case ChangeStanding():
                return await self._change(message)
            case LookAgain(user_id):
                self._suspect(user_id)
                self.wake_at = trio.current_time()
                return None
        raise TypeError(f"standing does not understand {message!r}")

    async def _change(self, asked: ChangeStanding) -> Stood | OutOfReach | UnknownUser:
        change = partial(self._world.store.change_standing, asked.user_id, asked.change, asked.act, beyond=asked.beyond)
        try:
            outcome = await insist(change)
        except (StoreError, trio.Cancelled):
            self._suspect(asked.user_id)
            raise
        if isinstance(outcome, Stood):
            self._world.stood(asked.user_id, outcome)
            await self._tell_boards(outcome)
        return outcome

    async def _tell_boards(self, outcome: Stood) -> None:
        try:
            await self._world.ledger.ask(TellBoards(outcome.fact), within=self._world.boards_within_s)
        except ActorError:
            self._suspect(outcome.fact.user_id)

    def _suspect(self, user_id: UserId) -> None:
        if user_id not in self._suspects and len(self._suspects) >= self._world.most_suspects:
            self._world.lost(1)
            return
        self._suspects[user_id] = None
        self._set_alarm()
