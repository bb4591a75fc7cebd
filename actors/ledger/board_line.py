"""The ledger's way to the boards: hands over what is on disk, and makes up for what did not arrive."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Protocol

import trio

from actors.leaderboard.messages import Apply, CatchUp, RankMove, Rebuild
from actors.ledger.messages import Moves
from actors.ledger.unapplied import Unapplied
from actors.ports import ScoreFact
from actors.runtime import ActorError, Ref


@dataclass(frozen=True, slots=True)
class BoardPatience:
    """Seconds to wait for the board's ranks, and to leave it alone after it failed; how many players are remembered."""

    within_s: float
    rest_s: float
    bound: int


class OtherBoards(Protocol):
    """The boards beside the one that is asked for ranks. Nothing here waits or raises."""

    @property
    def due(self) -> float:
        """When `remind` should be called, infinite if nothing is owed."""
        ...

    def tell(self, facts: Sequence[ScoreFact]) -> None:
        """These are on disk."""
        ...

    def remind(self) -> None:
        """Make up for what could not be told."""
        ...

    def catch_up(self) -> None:
        """Facts may have been lost: let them read everything from the store, keeping nothing."""
        ...


class BoardLine:
    """Applies facts to the board. A board that is away is asked again later, and nobody waits for it meanwhile.

    All `others` are told the same facts in the same moment, and nobody waits for them at all. What the board could not
    take is forgotten when the `history` of the store is another one: it may be lost, and all boards are built anew.
    """

    def __init__(
        self, board: Ref, others: OtherBoards, patience: BoardPatience, history: Callable[[], str] = lambda: ""
    ) -> None:
        self._board = board
        self._others = others
        self._patience = patience
        self._unapplied = Unapplied(patience.bound)
        self._history = history
        self._kept_in = history()  # the history of what is not applied
        self._next_try = -math.inf
        self._owed: list[tuple[float, CatchUp | Rebuild]] = []  # when the board must be told to read the store again

    def __repr__(self) -> str:
        return f"<BoardLine, {len(self._unapplied)} unapplied>"

    @property
    def due(self) -> float:
        """When `apply` should be called at the latest, infinite if nothing is owed."""
        unapplied = self._next_try if len(self._unapplied) else math.inf
        return min(unapplied, *(at for at, _ in self._owed), self._others.due)

    def catch_up_at(self, *times: float) -> None:
        """Facts may have been lost: let the board read the store, at each of these times."""
        self._owe(CatchUp(), times)

    def rebuild_at(self, *times: float) -> None:
        """Boards may have more than the store: let them be built anew, at each of these times."""
        self._owe(Rebuild(), times)

    def _owe(self, message: CatchUp | Rebuild, times: Sequence[float]) -> None:
        self._owed = sorted([*self._owed, *((at, message) for at in times)], key=itemgetter(0))

    async def apply(self, facts: Sequence[ScoreFact]) -> Moves:
        """Hand facts to the boards; the moves by player and version, none while the board is away."""
        return _by_version(*await self.hand_over(facts))

    async def hand_over(self, facts: Sequence[ScoreFact]) -> tuple[Sequence[ScoreFact], Sequence[RankMove]]:
        """As `apply`; what the board has taken in, and how each of these facts moved a player."""
        self._send_catch_ups()
        self._others.tell(facts)
        self._forget_the_lost()
        batch = (*self._unapplied.facts, *facts)
        if not batch:
            return (), ()
        if trio.current_time() < self._next_try:
            self._keep(facts)
            return (), ()
        try:
            moves = await self._board.ask(Apply(batch), within=self._patience.within_s)
        except ActorError:
            self._next_try = trio.current_time() + self._patience.rest_s
            self._keep(facts)
            return (), ()
        self._unapplied.clear()
        return batch, moves

    def _keep(self, facts: Sequence[ScoreFact]) -> None:
        if not self._unapplied.keep(facts):
            self.catch_up_at(self._next_try)

    def _forget_the_lost(self) -> None:
        if self._kept_in != self._history():
            self._kept_in = self._history()
            self._unapplied.clear()

    def _send_catch_ups(self) -> None:
        self._others.remind()
        now = trio.current_time()
        due = [message for at, message in self._owed if at <= now]
        if not due:
            return
        self._owed = self._owed[len(due) :]
        self._others.catch_up()
        for message in dict.fromkeys(due):
            try:
                self._board.tell(message)
            except ActorError:
                self._owe(message, [now + self._patience.rest_s])


def _by_version(facts: Sequence[ScoreFact], moves: Sequence[RankMove]) -> Moves:
    """The first move of a fact is the true one: handed over twice, it moves nobody the second time."""
    found: dict[tuple[str, int], RankMove] = {}
    for fact, move in zip(facts, moves, strict=True):
        found.setdefault((fact.user_id, fact.version), move)
    return found
