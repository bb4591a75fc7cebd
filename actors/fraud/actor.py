"""Watches what players do, and imposes what the rules say. Told, never waited for: nothing of it holds up a score."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache, partial
from itertools import islice

import trio

from actors.fraud.crowd import Crowd
from actors.fraud.judge import consider, learn, times_untold
from actors.fraud.messages import Action
from actors.fraud.place import place_of
from actors.fraud.policy import Verdict
from actors.fraud.roll import Roll
from actors.fraud.sentence import Sentence, is_served, sentence_for
from actors.fraud.world import FraudWorld
from actors.ledger.messages import ChangeStanding, FindStandings
from actors.ports import EventId, FraudEvent, Habits, StoreError, UserId
from actors.runtime import ActorError, BatchActor, Request

#: So many findings, and so many players' habits, are written in one transaction.
AT_ONCE = 500
#: So many players are judged in one go: more would hold others up.
SENTENCED_AT_ONCE = 16
#: By so many players' habits a learner is taught at the start, so many at once: twice what it needs to tell anything.
LESSONS, LESSONS_AT_ONCE = 1_000, 20


class FraudActor(BatchActor):
    """Habits of who played last are in memory; two workers that serve the same player each know what they saw.

    While the store is away, who is not in memory is judged without habits, and nothing is learnt of it.
    """

    max_batch = 200

    def __init__(self, world: FraudWorld) -> None:
        self._world = world
        self._crowd = Crowd(world.rules.learner, world.rules.policy)
        self._roll = Roll(world.most_players, world.most_waiting)
        place = partial(place_of, secret=world.rules.secret, country_of=world.rules.country_of)
        self._place_of = lru_cache(world.most_players)(place)  # who plays comes again from there
        self._found: dict[EventId, FraudEvent] = {}  # to be written, the oldest first
        self._sentences: dict[EventId, Sentence] = {}  # to be imposed
        self._next_write = self._next_keep = math.inf
        self._next_lesson = math.inf
        self._lessons: list[Habits] | None = None  # those that are left

    def __repr__(self) -> str:
        return f"<FraudActor, {self._roll!r}, {len(self._found)} found, {len(self._sentences)} sentences>"

    async def started(self) -> None:
        """What a learner knew is lost with the process; it is taught by habits that are kept, bit by bit."""
        if self._world.rules.learner is not None:
            self._next_lesson = trio.current_time()
        self._set_alarm()

    async def receive_batch(self, requests: Sequence[Request]) -> None:
        """Judge all, and learn of them."""
        actions = [request.message for request in requests if self._is_action(request.message)]
        known = await self._load({action.user_id for action in actions})
        self._crowd.begin()
        for action in actions:
            self._judge(action, known.get(action.user_id))
        self._set_alarm()

    async def woken(self) -> None:
        """Write, impose and keep what is due."""
        now = trio.current_time()
        if self._next_write <= now:
            self._next_write = math.inf
            await self._write()
            await self._impose()
        if self._next_keep <= now:
            self._next_keep = math.inf
            await self._keep()
        if self._next_lesson <= now:
            await self._teach()
        self._set_alarm()

    async def stopped(self) -> None:
        """Nothing stays behind, if the store takes it; what was not imposed was found by then, and is told of."""
        with trio.move_on_after(self._world.last_words_s):
            await self._write()
            await self._keep()
        self._world.lost(len(self._found) + len(self._sentences) + self._roll.unkept)

    def _set_alarm(self) -> None:
        self.wake_at = min(self._next_write, self._next_keep, self._next_lesson)

    def _is_action(self, message: object) -> bool:
        if not isinstance(message, Action):
            raise TypeError(f"the watch on fraud does not understand {message!r}")
        return True

    # --- judging ---

    async def _load(self, user_ids: set[UserId]) -> dict[UserId, Habits]:
        """The habits of these players, from memory or from the store; who could not be read is left out."""
        here = {user_id: self._roll.find(user_id) for user_id in user_ids}
        known = {user_id: habits for user_id, habits in here.items() if habits is not None}
        missing = [user_id for user_id in user_ids if user_id not in known]
        read: dict[UserId, Habits] = {}

        async def look() -> None:
            read.update(await self._world.store.habits(missing))

        if missing and not await self._done(look):
            self._world.lost(len(missing))
            return known
        for user_id in missing:
            known[user_id] = read.get(user_id) or Habits()
            self._roll.enter(user_id, known[user_id])
        return known

    def _judge(self, action: Action, known: Habits | None) -> None:
        rules = self._world.rules
        habits = known or Habits()
        place = self._place_of(action.source)
        for verdict in consider(action, place, habits, rules.policy, self._crowd):
            self._world.detected(verdict.rule, verdict.severity.value)
            times = times_untold(verdict.rule, habits, action.at_us, round(rules.again_s * 1_000_000))
            if times:
                self._tell(action, verdict, times)
        if known is not None:
            learn(action, place, habits, rules.policy)
            self._world.lost(self._roll.changed(action.user_id, habits))
            soon = self._world.breath_s if self._roll.unkept > AT_ONCE else self._world.keep_s
            self._next_keep = min(self._next_keep, trio.current_time() + soon)

    def _tell(self, action: Action, verdict: Verdict, times: int) -> None:
        world = self._world
        event = FraudEvent(EventId(world.ids.uuid()), action.user_id, action.at_us, *verdict, times)
        world.told(event)
        restrict_us = round(world.rules.restrict_s * 1_000_000)
        sentence = sentence_for(event, action.source, EventId(world.ids.uuid()), restrict_us)
        self._found[event.event_id] = event
        if sentence is not None:
            self._sentences[sentence.act.event_id] = sentence
        for waiting in (self._found, self._sentences):
            if len(waiting) > world.most_waiting:
                del waiting[next(iter(waiting))]
                world.lost(1)
        self._next_write = min(self._next_write, trio.current_time() + world.breath_s)

    async def _teach(self) -> None:
        """A few lessons, or those to come are read; if that fails it is tried again."""
        world = self._world
        self._next_lesson = trio.current_time() + world.breath_s
        if self._lessons is None:

            async def look() -> None:
                self._lessons = await world.store.some_habits(LESSONS)

            if not await self._done(look):
                self._next_lesson = trio.current_time() + world.retry_s
            return
        for habits in self._lessons[:LESSONS_AT_ONCE]:
            self._crowd.teach(habits)
        del self._lessons[:LESSONS_AT_ONCE]
        if not self._lessons:
            self._next_lesson = math.inf

    # --- what is written, by whoever of the stores takes it ---

    async def _write(self) -> None:
        while self._found:
            batch = dict(islice(self._found.items(), AT_ONCE))
            if not await self._done(partial(self._world.store.record, list(batch.values()))):
                self._next_write = trio.current_time() + self._world.retry_s
                return
            for event_id in batch:
                self._found.pop(event_id, None)

    async def _keep(self) -> None:
        while chosen := self._roll.next_unkept(AT_ONCE):
            if not await self._done(partial(self._world.store.keep, chosen)):
                for user_id, habits in chosen.items():
                    self._world.lost(self._roll.changed(user_id, habits))
                self._next_keep = trio.current_time() + self._world.retry_s
                return

    async def _done(self, call: Callable[[], Awaitable[None]]) -> bool:
        """Whether the store did it, in time."""
        with trio.move_on_after(self._world.store_within_s):
            try:
                await call()
            except StoreError:
                return False
            return True
        return False

    async def _impose(self) -> None:
        while self._sentences:
            batch = list(islice(self._sentences.values(), SENTENCED_AT_ONCE))
            try:
                asked = FindStandings(tuple({sentence.user_id for sentence in batch}))
                standings = await self._world.standing.ask(asked, within=self._world.store_within_s)
                for sentence in batch:
                    standing = standings.get(sentence.user_id)
                    if standing is not None and not is_served(sentence.change, standing):
                        await self._world.standing.ask(ChangeStanding(*sentence), within=self._world.store_within_s)
                    self._sentences.pop(sentence.act.event_id, None)
            except ActorError:
                self._next_write = min(self._next_write, trio.current_time() + self._world.retry_s)
                return
