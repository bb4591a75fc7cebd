from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.audit.actor import AT_ONCE, AuditActor, AuditWorld
from actors.audit.messages import Denied, Happened
from actors.audit.tally import Tally
from actors.ports import NOWHERE, AuditEvent, EventId, EventKind, Source, StoreUnavailable, UserId
from actors.runtime import Ref, running_actor
from tests.fakes import FakeAuditLog
from tests.fakes.system import CountedIds

HERE = Source("192.0.2.7", "a browser")
ANN = UserId("ann")


def denied(number: int = 0, **changes: object) -> Denied:
    """A request that came too soon, so many seconds after the first."""
    given: dict[str, object] = {"user_id": ANN, "source": HERE, "why": "Too soon.", "request_id": f"r{number}"}
    return Denied("RATE_LIMITED", "POST /api/actions/token", number * 1_000_000, **(given | changes))  # type: ignore[arg-type]


def happened(number: int) -> AuditEvent:
    """Something that an operator did."""
    return AuditEvent(EventId(f"e{number:05}"), number, number, EventKind.ACT, "KEY_ROTATED", "operator")


@dataclass
class Desk:
    """The audit at work."""

    log: FakeAuditLog
    audit: Ref
    lost: list[int] = field(default_factory=list)

    async def kept(self) -> list[AuditEvent]:
        """What is in the log, the oldest first."""
        return (await self.log.events(limit=100_000))[::-1]


@asynccontextmanager
async def running_desk(**bounds: Any) -> AsyncIterator[Desk]:
    """Run it."""
    log, lost = FakeAuditLog(), list[int]()
    world = AuditWorld(log, CountedIds(), lost.append, **bounds)
    async with running_actor("audit", partial(AuditActor, world), rng=random.Random(0)) as audit:
        yield Desk(log, audit, lost)


async def test_what_is_refused_alike_is_one_line_a_minute(autojump_clock: MockClock) -> None:
    """With how often, from when to when, and where it came from last; who, what and where are apart."""
    async with running_desk() as desk:
        for number in range(100):
            desk.audit.tell(denied(number))
        desk.audit.tell(denied(5, user_id=None))
        await trio.sleep(59)
        assert [] == await desk.kept()
        await trio.sleep(2)
        nobody, ann = sorted(await desk.kept(), key=lambda event: event.times)
        assert ("user:ann", ANN, 100, 0, 99_000_000) == (ann.done_by, ann.user_id, ann.times, ann.at_us, ann.until_us)
        assert ("RATE_LIMITED", "POST /api/actions/token", HERE) == (ann.what, ann.site, ann.source)
        assert ("Too soon.", "r99") == (ann.why, ann.request_id)
        assert ("address:192.0.2.7", None, 1) == (nobody.done_by, nobody.user_id, nobody.times)
        desk.audit.tell(denied(200))
        await trio.sleep(61)
        assert [1, 1, 100] == sorted(event.times for event in await desk.kept())


async def test_a_flood_from_everywhere_takes_a_few_lines(autojump_clock: MockClock) -> None:
    """What is of no kind that is counted yet is counted by code and site; nothing of it names anybody."""
    async with running_desk(most_kinds=10) as desk:
        for number in range(500):
            desk.audit.tell(denied(user_id=None, source=Source(f"2001:db8::{number:x}", None)))
        await trio.sleep(61)
        kept = await desk.kept()
        assert [1] * 10 + [490] == sorted(event.times for event in kept)
        [many] = [event for event in kept if event.times > 1]
        assert ("many", None, None) == (many.done_by, many.user_id, many.source.address)


async def test_what_is_refused_in_parts_counts_as_many_as_there_were(autojump_clock: MockClock) -> None:
    """A batch tells of its rows in one go: those of the first one, and those that come to it."""
    async with running_desk() as desk:
        for times in (5, 7):
            desk.audit.tell(denied(times=times))
        await trio.sleep(61)
        assert [12] == [event.times for event in await desk.kept()]


async def test_a_clock_that_is_set_back_ends_nothing_before_it_began(autojump_clock: MockClock) -> None:
    """The first is told as it was; the last not sooner, though it seems so, and with what it said."""
    async with running_desk() as desk:
        desk.audit.tell(denied(10))
        desk.audit.tell(denied(3))
        await trio.sleep(61)
        [event] = await desk.kept()
        assert (10_000_000, 10_000_000, "r3") == (event.at_us, event.until_us, event.request_id)


async def test_what_could_not_be_written_until_the_end_is_counted(autojump_clock: MockClock) -> None:
    """And nothing is called lost that got through."""
    async with running_desk() as desk:
        desk.log.faults.fail_before(StoreUnavailable("away"))
        for number in range(3):
            desk.audit.tell(Happened(happened(number)))
        await wait_all_tasks_blocked()
    assert ([3], []) == (desk.lost, await desk.kept())
    async with running_desk() as desk:
        desk.audit.tell(Happened(happened(1)))
        await wait_all_tasks_blocked()
    assert ([], [happened(1)]) == (desk.lost, await desk.kept())


async def test_what_is_counted_already_is_counted_on_when_there_is_room_for_no_other(autojump_clock: MockClock) -> None:
    """Who was first stays named; only who comes later is one of many."""
    async with running_desk(most_kinds=1) as desk:
        for user_id in (ANN, UserId("bob"), ANN):
            desk.audit.tell(denied(user_id=user_id))
        await trio.sleep(61)
        assert {"user:ann": 2, "many": 1} == {event.done_by: event.times for event in await desk.kept()}


async def test_who_was_refused_is_named_as_well_as_can_be(autojump_clock: MockClock) -> None:
    """A service before a player, a player before an address; and nobody at all, where nothing is known."""
    async with running_desk() as desk:
        for given in ({"by": "service:arena"}, {}, {"user_id": None}, {"user_id": None, "source": NOWHERE}):
            desk.audit.tell(denied(**given))
        await trio.sleep(61)
        told = [event.done_by for event in await desk.kept()]
        assert ["address:192.0.2.7", "anybody", "service:arena", "user:ann"] == sorted(told)


async def test_what_is_refused_waits_for_its_minute_whatever_else_is_written(autojump_clock: MockClock) -> None:
    """Or each act would end the count of a flood."""
    async with running_desk() as desk:
        desk.audit.tell(denied())
        desk.audit.tell(Happened(happened(1)))
        await trio.sleep(59)
        assert [happened(1)] == await desk.kept()


async def test_what_happened_is_written_at_once(autojump_clock: MockClock) -> None:
    """In batches, each event once."""
    async with running_desk() as desk:
        for number in range(AT_ONCE + 1):
            desk.audit.tell(Happened(happened(number)))
        await trio.sleep(1)
        assert [happened(number) for number in range(AT_ONCE + 1)] == await desk.kept()
        assert 2 == desk.log.faults.calls - 1


async def test_a_log_that_is_away_is_asked_again_with_the_same_events(autojump_clock: MockClock) -> None:
    """Also when it had written them after all."""
    async with running_desk() as desk:
        desk.log.faults.fail_before(StoreUnavailable("away"))
        desk.log.faults.fail_after(StoreUnavailable("lost"))
        desk.audit.tell(Happened(happened(1)))
        await trio.sleep(1)
        desk.audit.tell(Happened(happened(2)))
        await trio.sleep(20)
        assert [happened(1), happened(2)] == await desk.kept()
        assert [] == desk.lost


async def test_what_does_not_fit_is_dropped_and_counted(autojump_clock: MockClock) -> None:
    """The oldest first, while the log hangs."""
    async with running_desk(most_waiting=3) as desk:
        gate = desk.log.faults.hold()
        for number in range(10):
            desk.audit.tell(Happened(happened(number)))
        await trio.sleep(30)
        gate.set()
        desk.log.faults = type(desk.log.faults)()
        await trio.sleep(30)
        assert 7 == sum(desk.lost)
        assert [happened(number) for number in (7, 8, 9)] == await desk.kept()


async def test_nothing_stays_behind_at_the_end(autojump_clock: MockClock) -> None:
    """What was counted since the last minute is written too."""
    async with running_desk() as desk:
        desk.audit.tell(denied())
        desk.audit.tell(Happened(happened(1)))
        await wait_all_tasks_blocked()
        assert [] == await desk.kept()
    assert ["KEY_ROTATED", "RATE_LIMITED"] == sorted(event.what for event in await desk.kept())


async def test_what_it_does_not_understand_is_a_mistake_of_ours(autojump_clock: MockClock) -> None:
    """It says so, and goes on."""
    with pytest.raises(TypeError):
        await AuditActor(AuditWorld(FakeAuditLog(), CountedIds(), lambda _: None)).receive_batch([_Odd()])  # type: ignore[list-item]


class _Odd:
    message = "nonsense"


def test_a_tally_says_how_full_it_is() -> None:
    """For whoever looks into it."""
    tally = Tally(5)
    assert (False, "<Tally of 0 kinds>") == (bool(tally), repr(tally))
    tally.add(denied())
    assert (True, "<Tally of 1 kinds>") == (bool(tally), repr(tally))
