from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.ledger.messages import Copy, Publish
from actors.ledger.publisher import ENTRY, PublisherActor, PublisherWorld
from actors.ports import ALL_TIME, BoardId, BoardPart, ScoreFact, SpentToken, StoreUnavailable, UserId
from actors.runtime import Ref, running_actor
from tests.fakes import FakeBoardCache, FakeEventLog
from tests.leaderboard.naive import fact
from tests.ledger.office import PATIENT

BREATH_S = 0.05


class NotedCache(FakeBoardCache):
    """Remembers what it was given, write by write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[list[tuple[str, int]]] = []

    async def put(self, board: BoardId, facts: Sequence[ScoreFact], spent: Sequence[SpentToken] = ()) -> None:
        self.writes.append([(each.user_id, each.version) for each in facts])
        await super().put(board, facts, spent)


@dataclass
class Press:
    """A publisher at work."""

    log: FakeEventLog
    cache: NotedCache
    dropped: list[int]
    publisher: Ref

    async def publish(self, *facts: ScoreFact) -> None:
        self.publisher.tell(Publish(facts))
        await wait_all_tasks_blocked()

    async def entries(self) -> list[list[tuple[str, int]]]:
        return [[(each.user_id, each.score) for each in entry.facts] for _, entry in self.log.bus.entries]


@asynccontextmanager
async def running_press() -> AsyncIterator[Press]:
    """Run one."""
    log, cache, dropped = FakeEventLog(), NotedCache(), list[int]()
    world = PublisherWorld(log, cache, dropped.append, BREATH_S)
    async with running_actor("press", lambda: PublisherActor(world), rng=random.Random(0), options=PATIENT) as ref:
        yield Press(log, cache, dropped, ref)


async def test_all_that_waits_is_one_entry_and_the_newest_totals(autojump_clock: MockClock) -> None:
    """The log has every fact in order; the cache needs the last of each player."""
    async with running_press() as press:
        gate = press.log.faults.hold()
        await press.publish(fact("a", 1))
        await press.publish(fact("a", 2), fact("b", 1))
        await press.publish(fact("a", 3))
        gate.set()
        await wait_all_tasks_blocked()
        assert await press.entries() == [[("a", 1)]]
        await trio.sleep(BREATH_S)
        await wait_all_tasks_blocked()
        assert await press.entries() == [[("a", 1)], [("a", 2), ("b", 1), ("a", 3)]]
        assert await press.cache.top(ALL_TIME, 10) == [("a", 3), ("b", 1)]


async def test_the_cache_is_given_the_newest_fact_of_each_player_once(autojump_clock: MockClock) -> None:
    """In whichever order facts come: a version tells which is newer."""
    async with running_press() as press:
        await press.publish(fact("a", 5, 2), fact("b", 1, 1), fact("a", 4, 1), fact("b", 9, 2))
        assert press.cache.writes == [[("a", 2), ("b", 2)]]
        assert await press.entries() == [[("a", 5), ("b", 1), ("a", 4), ("b", 9)]]


async def test_an_entry_has_facts_of_one_history(autojump_clock: MockClock) -> None:
    """Those who follow refuse what is of another one than theirs: all of the entry, or none."""
    async with running_press() as press:
        await press.publish(fact("a", 1))
        for number, history in enumerate(["1", "1", "2", "2", "1"], 2):
            press.publisher.tell(Publish((fact("a", number),), history=history))
        await trio.sleep(2 * BREATH_S)
        assert [[("a", 1)], [("a", 2), ("a", 3)], [("a", 4), ("a", 5)], [("a", 6)]] == await press.entries()
        assert ["", "1", "2", "1"] == [entry.history for _, entry in press.log.bus.entries]


async def test_two_writes_are_a_breath_apart_unless_a_whole_entry_waits(autojump_clock: MockClock) -> None:
    """The first of many is written at once."""
    async with running_press() as press:
        await press.publish(fact("a", 1))
        await press.publish(fact("a", 2))
        assert await press.entries() == [[("a", 1)]]
        await press.publish(*(fact(f"{n}", 1) for n in range(ENTRY - 1)))
        assert [len(entry) for entry in await press.entries()] == [1, ENTRY]


async def test_what_waits_is_written_when_the_publisher_stops(autojump_clock: MockClock) -> None:
    """It does not wait for its time then."""
    async with running_press() as press:
        await press.publish(fact("a", 1))
        await press.publish(fact("a", 2))
    assert await press.entries() == [[("a", 1)], [("a", 2)]]


async def test_tokens_go_with_the_facts_for_which_they_were_spent(autojump_clock: MockClock) -> None:
    """To the cache, and with the first of several entries: one needs none of the others."""
    tokens = tuple(SpentToken(bytes([n]), UserId("a"), f"{n}", 1) for n in range(3))
    async with running_press() as press:
        press.publisher.tell(Publish(tuple(fact(f"{n}", 1) for n in range(ENTRY + 1)), tokens[:2]))
        press.publisher.tell(Publish((fact("a", 2),), tokens[2:]))
        await trio.sleep(2 * BREATH_S)
        assert {token.name: token for token in tokens} == press.cache.spent


async def test_an_entry_has_a_bound(autojump_clock: MockClock) -> None:
    """After a long wait there are several; what was published at once stays together, whatever its size."""
    async with running_press() as press:
        gate = press.log.faults.hold()
        await press.publish(fact("a", 1))
        for count in (ENTRY - 1, ENTRY + 1, 1):
            press.publisher.tell(Publish(tuple(fact(f"{n}", 1) for n in range(count))))
        gate.set()
        await trio.sleep(2 * BREATH_S)
        assert [len(entry) for entry in await press.entries()] == [1, 2 * ENTRY, 1]


async def test_an_entry_says_which_batches_it_has(autojump_clock: MockClock) -> None:
    """Each stands there whole, and so only in one."""
    async with running_press() as press:
        gate = press.log.faults.hold()
        press.publisher.tell(Publish((fact("a", 1),), batches=(1,)))
        await wait_all_tasks_blocked()
        press.publisher.tell(Publish(tuple(fact(f"{n}", 1) for n in range(ENTRY)), batches=(2,)))
        press.publisher.tell(Publish((fact("a", 2),)))
        press.publisher.tell(Publish((fact("a", 3),), batches=(3, 4)))
        gate.set()
        await trio.sleep(2 * BREATH_S)
        assert [entry.batches for _, entry in press.log.bus.entries] == [(1,), (2,), (3, 4)]


async def test_of_several_entries_those_are_counted_as_dropped_that_did_not_get_through(
    autojump_clock: MockClock,
) -> None:
    """The one that failed and all behind it; not those before."""
    async with running_press() as press:
        press.log.faults.fail_before(None, None, StoreUnavailable("away"))
        for count in (ENTRY, ENTRY, ENTRY, 1):
            press.publisher.tell(Publish(tuple(fact(f"{n}", 1) for n in range(count))))
        await wait_all_tasks_blocked()
        assert [len(entry) for entry in await press.entries()] == [ENTRY, ENTRY]
        assert press.dropped == [ENTRY + 1]


async def test_what_redis_does_not_take_is_dropped_and_counted(autojump_clock: MockClock) -> None:
    """The log or the cache, an expected or an unexpected failure; the next facts get through."""
    async with running_press() as press:
        press.log.faults.fail_before(StoreUnavailable("away"))
        await press.publish(fact("a", 1), fact("b", 1))
        await trio.sleep(2 * BREATH_S)
        press.cache.faults.fail_before(StoreUnavailable("away"))
        await press.publish(fact("c", 1))
        await trio.sleep(2 * BREATH_S)
        press.log.faults.fail_before(ZeroDivisionError())
        await press.publish(fact("d", 1))
        assert press.dropped == [2, 1, 1]
        press.publisher.tell(Publish((fact("e", 1),)))
        await trio.sleep(1)
        assert await press.cache.top(ALL_TIME, 10) == [("e", 1)]
        assert press.dropped == [2, 1, 1]


async def test_parts_of_boards_go_to_the_cache_and_are_counted_if_it_is_away(autojump_clock: MockClock) -> None:
    """One score for each player and one for each who has gone."""
    async with running_press() as press:
        board = BoardId("daily")
        press.publisher.tell(Copy(BoardPart(board, {UserId("a"): 1, UserId("b"): 2})))
        await wait_all_tasks_blocked()
        press.cache.faults.fail_before(StoreUnavailable("away"))
        press.publisher.tell(Copy(BoardPart(board, {UserId("a"): 5}, (UserId("b"),))))
        await wait_all_tasks_blocked()
        assert (await press.cache.top(board, 9), press.dropped) == ([("b", 2), ("a", 1)], [2])


async def test_who_is_hidden_while_redis_is_away_is_taken_off_when_it_is_back(autojump_clock: MockClock) -> None:
    """Nothing else of that is said again, and other workers are not told again; a newer fact wins."""
    async with running_press() as press:
        await press.publish(fact("a", 1), fact("b", 2), fact("c", 3))
        await trio.sleep(1)
        press.log.faults.fail_before(StoreUnavailable("away"))
        hidden = [fact(name, 4, 9)._replace(hidden=True) for name in ("a", "b")]
        await press.publish(*hidden, fact("c", 5))
        await trio.sleep(1)
        assert [("c", 3), ("b", 2), ("a", 1)] == await press.cache.top(ALL_TIME, 9)
        await press.publish(fact("b", 4, 10))
        await trio.sleep(10)
        assert [("b", 4), ("c", 3)] == await press.cache.top(ALL_TIME, 9)
        told = [[each.user_id for each in entry.facts] for _, entry in press.log.bus.entries]
        assert [["a", "b", "c"], ["b"]] == told
        assert [3] == press.dropped
