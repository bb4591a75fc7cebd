from __future__ import annotations

from dataclasses import replace

from actors.ports import Consequence, EventId, FraudEvent, Habits, Moments, Severity, UserId
from tests.contract.making import NOW_US, World, uuid_of

NOBODY = UserId(uuid_of(4711))
FULL = Habits(
    7,
    Moments(6, 1.5, 0.25),
    Moments(1, 2.0),
    [1] * 24,
    [NOW_US, NOW_US + 1],
    [NOW_US],
    {29_000_000: 5},
    480_000,
    5,
    "aa",
    "bb",
    "DE",
    {"aa": NOW_US, "cc": NOW_US - 1},
    {"rapid": (NOW_US, 3)},
    Moments(3, 2.5, 0.5),
    NOW_US - 7,
    0.25,
    NOW_US - 5,
    NOW_US - 6,
    4,
    0.75,
)


def event(number: int, user_id: UserId, at_us: int = NOW_US) -> FraudEvent:
    """Something that a rule found."""
    return FraudEvent(
        EventId(uuid_of(number)), user_id, at_us, "rapid", Severity.HIGH, Consequence.FLAG, "Nine actions.", 3
    )


async def test_habits_are_kept_whole_and_in_the_place_of_earlier_ones(world: World) -> None:
    """Of whoever plays; who is new has none, and who is no player is passed by."""
    ann, bob = await world.player("Ann"), await world.player("Bob")
    assert {} == await world.fraud.habits([ann, bob])
    await world.fraud.keep({ann: Habits(actions=1), NOBODY: Habits()})
    await world.fraud.keep({bob: Habits(actions=2), ann: FULL})
    assert {ann: FULL, bob: Habits(actions=2)} == await world.fraud.habits([bob, ann, NOBODY])
    await world.fraud.keep({})


async def test_some_players_habits_are_drawn_from_all(world: World) -> None:
    """As many as are wanted, if there are so many; each once, as they were kept."""
    assert [] == await world.fraud.some_habits(5)
    players = [await world.player(name) for name in ("Ann", "Bob", "Cid")]
    kept = {player: replace(FULL, actions=number) for number, player in enumerate(players)}
    await world.fraud.keep(kept)
    assert list(kept.values()) == sorted(await world.fraud.some_habits(5), key=lambda each: each.actions)
    drawn = await world.fraud.some_habits(2)
    assert 2 == len({each.actions for each in drawn})
    assert all(each in kept.values() for each in drawn)


async def test_what_was_found_is_told_the_newest_first(world: World) -> None:
    """Of one or of all, by one rule or by all, in pages."""
    ann, bob = await world.player("Ann"), await world.player("Bob")
    told = [event(number, (ann, bob)[number % 2], NOW_US + number) for number in range(6)]
    await world.fraud.record(told)
    assert told[::-1] == await world.fraud.found()
    assert [told[5], told[3]] == await world.fraud.found(user_id=bob, since_us=NOW_US + 2)
    assert [told[4], told[3]] == await world.fraud.found(limit=2, offset=1)
    gap = replace(event(7, bob), rule="gap")
    await world.fraud.record([gap])
    assert [gap] == await world.fraud.found(rule="gap")
    assert [] == await world.fraud.found(rule="gap", user_id=ann)
    assert told[:1] == await world.fraud.found(rule="rapid", offset=5)


async def test_a_finding_that_is_there_or_of_nobody_is_passed_by(world: World) -> None:
    """So a call that may have been done is made again, and one odd row holds up no other."""
    ann = await world.player("Ann")
    first = event(1, ann)
    await world.fraud.record([first, event(3, NOBODY)])
    await world.fraud.record([replace(first, rule="gap"), event(2, ann, NOW_US + 1)])
    await world.fraud.record([])
    assert [event(2, ann, NOW_US + 1), first] == await world.fraud.found()


async def test_who_is_restricted_now_is_known(world: World) -> None:
    """With until when; the time itself is no longer within."""
    ann, bob = await world.player("Ann"), await world.player("Bob")
    await world.player("Cid")
    await world.stand(ann, restricted_until_us=NOW_US + 5)
    await world.stand(bob, restricted_until_us=NOW_US + 9)
    assert {ann: NOW_US + 5, bob: NOW_US + 9} == await world.fraud.restricted(NOW_US)
    assert {bob: NOW_US + 9} == await world.fraud.restricted(NOW_US + 5)
