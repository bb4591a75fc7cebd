"""What other workers commit comes to the boards of this one: at once by the event log, and in any case by the store.

The event log may lose, double and reorder what it likes. Which batches there are stands in the store, numbered without
a gap in each worker's chain: a look there every now and then shows what was not heard, and that is read. Facts may
come twice and in any order, for boards tell by a player's version what is news; so all that must hold is that none is
left out. Where the store has lost commits that were seen (another history, see `Sight`) nothing that is known holds,
and all boards are built anew.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

import trio

from actors.ledger.board_line import BoardLine, BoardPatience, OtherBoards
from actors.ledger.history import History
from actors.ledger.known import KnownBatches
from actors.ledger.messages import Deaf, Following, Others
from actors.ports import BatchStore, ChainId, LoggedFacts, ScoreFact, Sight, StoreError
from actors.runtime import ActorError, BatchActor, Ref, Request

R = TypeVar("R")

#: So many facts are handed over at once, so that scores of this worker are ranked in between.
PIECE = 500
#: So many batches of each chain are read at once.
BATCHES = 64
#: Of more players than this who have changed all are read.
MOST_CHANGES = 5_000


@dataclass(frozen=True, slots=True)
class Lag:
    """How far this worker was behind the others at a look: so many batches, the oldest seen so long ago."""

    batches: int
    seconds: float


@dataclass(frozen=True, slots=True)
class FollowerHooks:
    """Who hears of it. `heard` of facts by their way, ``log`` or ``store``; `healed` of batches that had been missed.

    `lost` hears of so many batches, or None for players, that are more than can be read one by one: all boards are read
    anew. `missed` hears why a look did not succeed. `rewritten` hears that the store goes on with a history of that
    name, and all is read anew.
    """

    heard: Callable[[str, int], None] = lambda _way, _count: None
    lag: Callable[[Lag], None] = lambda _: None
    healed: Callable[[int], None] = lambda _: None
    lost: Callable[[int | None], None] = lambda _: None
    deaf: Callable[[bool], None] = lambda _: None
    missed: Callable[[Exception], None] = lambda _: None
    rewritten: Callable[[str], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class FollowerWorld:
    """What the follower needs from outside.

    A look is `look_every_s` behind the last one; what a look shows and is not heard by the next one is read, at once
    while nothing can be heard. `go_to_end` has the event log heard from its end on. Of more than `most_behind` batches
    none is read.
    `loaded` says whether boards are in memory that may have been read before the follower began. `history` is shared
    with all who must not go by what the store has lost.
    """

    store: BatchStore
    board: Ref
    others: OtherBoards
    go_to_end: Callable[[], None]
    hooks: FollowerHooks
    loaded: Callable[[], bool] = lambda: False
    history: History = field(default_factory=History)
    look_every_s: float = 0.4
    store_within_s: float = 10.0
    board_within_s: float = 1.0
    retry_s: float = 0.5
    max_unapplied: int = 100_000
    most_behind: int = 5_000


class FollowerActor(BatchActor):
    """Hands facts of other workers to the boards. A life that begins with boards in memory has them read anew."""

    def __init__(self, world: FollowerWorld) -> None:
        self._world = world
        patience = BoardPatience(world.board_within_s, world.retry_s, world.max_unapplied)
        self._boards = BoardLine(world.board, world.others, patience, world.history)
        self._known = KnownBatches({})
        self._suspects: dict[ChainId, tuple[int, float]] = {}  # seen, but not heard: up to which number, and since when
        self._position = ""
        self._seen_us = 0
        self._deaf = True
        self._heard_since = False  # anything by the log, since the last look
        self._look_at = 0.0

    def __repr__(self) -> str:
        return f"<FollowerActor, {self._known!r}, {len(self._suspects)} suspects>"

    # --- life ---

    async def started(self) -> None:
        """Begin at what is there now. Boards that are loaded later have all of it.

        Boards that were loaded before any history was known may be of another one than that.
        """
        history, now = self._world.history, trio.current_time()
        known = history.name
        if await self._begin():
            self._build_anew()
        elif not history.is_settled(now):  # a life before has not come to it
            self._boards.rebuild_at(now, history.settled_at)
        elif self._world.loaded():
            (self._boards.rebuild_at if history.name and not known else self._boards.catch_up_at)(now)
        self._look_later(self._world.look_every_s)

    async def _begin(self) -> bool:
        """Know what is there now and nothing else; True if the store goes on with another history."""
        sight = await self._of_store(self._world.store.look({}, None))
        self._known = KnownBatches(sight.newest)
        self._suspects.clear()
        self._note(sight)
        return self._world.history.enter(sight.history, trio.current_time())

    async def receive_batch(self, requests: Sequence[Request]) -> None:
        """Take in what was heard."""
        for request in requests:
            match request.message:
                case Others(entries):
                    await self._hear(entries)
                case Deaf(deaf):
                    self._turn_deaf(deaf=deaf)
                case Following():
                    pass
                case _:
                    raise TypeError(f"a follower does not understand {request.message!r}")
            request.answer(None)
        self._set_alarm()

    async def woken(self) -> None:
        """Look, if it is time to; give the boards what they could not take."""
        if self._look_at <= trio.current_time():
            await self._look()
        if self._boards.due <= trio.current_time():
            await self._boards.hand_over(())
        self._set_alarm()

    def _set_alarm(self) -> None:
        self.wake_at = max(min(self._look_at, self._boards.due), trio.current_time())

    def _look_later(self, by_s: float) -> None:
        self._look_at = trio.current_time() + by_s
        self._set_alarm()

    # --- by the event log ---

    async def _hear(self, entries: Sequence[LoggedFacts]) -> None:
        self._heard_since = True
        self._turn_deaf(deaf=False)
        facts: list[ScoreFact] = []
        for entry in entries:
            if not self._believes(entry):
                continue
            facts += entry.facts
            if entry.chain and self._known.take(entry.chain, entry.batches):
                self._look_at = trio.current_time()  # an entry was lost, and is on disk
        await self._tell(facts, "log")

    def _believes(self, entry: LoggedFacts) -> bool:
        """Whether it cannot be of what the store has lost. If it may be, what the store has is read."""
        history = self._world.history
        if entry.history:
            return entry.history == history.name
        return history.is_settled(trio.current_time())

    def _turn_deaf(self, *, deaf: bool) -> None:
        if deaf != self._deaf:
            self._world.hooks.deaf(deaf)
        self._deaf = deaf

    async def _tell(self, facts: Sequence[ScoreFact], way: str) -> None:
        self._world.hooks.heard(way, len(facts))
        for start in range(0, len(facts), PIECE):
            await self._boards.hand_over(facts[start : start + PIECE])

    # --- by the store ---

    async def _look(self) -> None:
        try:
            sight = await self._of_store(self._world.store.look(self._known.upto, self._position))
            if self._world.history.goes_on(sight.history):
                await self._heal(sight)
                await self._renew(sight)
                self._note(sight)
            else:
                await self._begin()
                self._build_anew()
        except (StoreError, trio.TooSlowError) as error:
            self._world.hooks.missed(error)
            self._look_later(self._world.retry_s)
            return
        self._look_later(self._world.look_every_s)

    async def _of_store(self, answer: Awaitable[R]) -> R:
        with trio.fail_after(self._world.store_within_s):
            return await answer

    def _note(self, sight: Sight) -> None:
        """Remember what was seen: from there the next look goes on."""
        now = trio.current_time()
        lacking = {chain: number for chain, number in sight.newest.items() if self._known.lacks(chain, number)}
        kept = {chain: at for chain, at in self._suspects.items() if self._known.lacks(chain, at[0])}
        self._suspects = {chain: kept.get(chain, (number, now)) for chain, number in lacking.items()}
        behind = sum(number - self._known.upto.get(chain, 0) for chain, number in lacking.items())
        since = min((at for _, at in self._suspects.values()), default=now)
        self._world.hooks.lag(Lag(behind, now - since))
        self._position, self._seen_us = sight.position, sight.at_us
        self._heard_since = False

    @property
    def _reads_all(self) -> bool:
        """Whether the log is not to be waited for."""
        return self._deaf or not self._world.history.is_settled(trio.current_time())

    def _overdue(self, sight: Sight) -> dict[ChainId, int]:
        """The chains of which something is missing that should have been heard."""
        return {
            chain: number
            for chain, number in sight.newest.items()
            if self._reads_all
            or self._known.has_gap(chain)
            or (chain in self._suspects and self._known.lacks(chain, self._suspects[chain][0]))
        }

    async def _heal(self, sight: Sight) -> None:
        """Read what was missed. If nothing at all was heard, the place at which one listens may be gone."""
        overdue = self._overdue(sight)
        missing = self._known.missing(overdue)
        if not missing:
            return
        if not (self._reads_all or self._heard_since):
            self._listen_at_the_end()
        count = sum(stretch.upto - stretch.after for stretch in missing.values())
        self._world.hooks.healed(count)
        if count > self._world.most_behind:
            self._listen_at_the_end()
            self._known.pass_by(sight.newest)
            self._read_all(count)
            return
        while missing:
            for batch in await self._of_store(self._world.store.read(missing, BATCHES)):
                await self._tell(batch.facts, "store")
            self._known.pass_by({chain: min(each.upto, each.after + BATCHES) for chain, each in missing.items()})
            missing = self._known.missing(overdue)

    async def _renew(self, sight: Sight) -> None:
        """Tell the boards how players stand who have changed."""
        away_us = sight.at_us - self._seen_us
        players = [user_id for user_id in sight.changed if user_id is not None]
        everybody = len(players) < len(sight.changed) or len(players) > MOST_CHANGES
        if everybody or away_us > self._world.store.changes_kept_us // 2:
            self._read_all(None)
        elif players:
            await self._tell(await self._of_store(self._world.store.totals(players)), "store")

    def _read_all(self, lost: int | None) -> None:
        """The last resort: boards read everything, beside all other work."""
        self._world.hooks.lost(lost)
        self._boards.catch_up_at(trio.current_time())

    def _build_anew(self) -> None:
        """Nothing in memory is to be trusted; nor for a while what comes, so once more when that has settled."""
        history = self._world.history
        self._world.hooks.rewritten(history.name)
        self._listen_at_the_end()
        self._boards.rebuild_at(trio.current_time(), history.settled_at)

    def _listen_at_the_end(self) -> None:
        with suppress(ActorError):  # then it begins at the end anyway, or is told with the next look
            self._world.go_to_end()
