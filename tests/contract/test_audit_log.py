from __future__ import annotations

from dataclasses import replace

from actors.ports import NOWHERE, AuditEvent, EventId, EventKind, Source, UserId
from tests.contract.making import HERE, NOW_US, World, uuid_of


def event(number: int, at_us: int = NOW_US, user_id: UserId | None = None) -> AuditEvent:
    """Something that was refused."""
    return AuditEvent(
        EventId(uuid_of(number)), at_us, at_us + 5, EventKind.REFUSAL, "RATE_LIMITED", "anybody", user_id, times=3
    )


async def test_what_is_recorded_is_told_whole(world: World) -> None:
    """Every field, also those that are empty."""
    ann = UserId(uuid_of(900))
    full = AuditEvent(
        EventId(uuid_of(1)),
        NOW_US,
        NOW_US + 7,
        EventKind.CONSEQUENCE,
        "RESTRICTED",
        "rule:gain",
        ann,
        "/api/scores/increment",
        Source("2001:db8::7", "a browser"),
        "Too much at once.",
        "request-9",
        12,
        {"z": 4, "of": ["a", "b"]},
    )
    await world.audit.record([full, event(2, NOW_US - 1)])
    assert [full, event(2, NOW_US - 1)] == await world.audit.events()
    assert event(2).source == NOWHERE


async def test_an_event_that_is_there_is_passed_by(world: World) -> None:
    """So a call that may have been done is made again."""
    first = event(1)
    await world.audit.record([first])
    await world.audit.record([replace(first, what="SOMETHING_ELSE"), event(2, NOW_US + 1)])
    assert [event(2, NOW_US + 1), first] == await world.audit.events()


async def test_events_are_found_by_player_and_time_the_newest_first(world: World) -> None:
    """In pages."""
    ann, bob = UserId(uuid_of(900)), UserId(uuid_of(901))
    told = [event(number, NOW_US + number, (ann, bob, None)[number % 3]) for number in range(9)]
    await world.audit.record(told)
    assert [told[6], told[3], told[0]] == await world.audit.events(user_id=ann)
    assert [told[8], told[7]] == await world.audit.events(since_us=NOW_US + 7)
    assert [told[6], told[5]] == await world.audit.events(limit=2, offset=2)
    assert [] == await world.audit.events(user_id=bob, since_us=NOW_US + 8)


async def test_odd_text_is_kept_as_far_as_it_can_be(world: World) -> None:
    """A client's own words never keep the events around them from being written."""
    odd = replace(event(1), what="a\0b", site="\ud800", source=Source("no address", "x\0y"), details={"said": "\0"})
    await world.audit.record([odd, event(2, NOW_US + 1)])
    assert 2 == len(await world.audit.events())
    assert HERE.address != (await world.audit.events())[1].source.address
