"""What other workers see of what one commits."""

from __future__ import annotations

from actors.ports import (
    Batch,
    Committed,
    ProfileChange,
    Sight,
    Stretch,
    UserId,
)
from tests.contract.making import World, again, as_it_stands, write

ANYBODY = UserId("00000000-0000-0000-0000-00000000dead")


async def committed(world: World, *players: UserId) -> list[Committed]:
    """A point for each, at once."""
    outcomes = await world.scores.commit([write(player) for player in players])
    return [each for each in outcomes if isinstance(each, Committed)]


async def new_batches(world: World, seen: Sight) -> list[Batch]:
    """All that has been committed since."""
    sight = await world.batches.look(seen.newest, seen.position)
    wanted = {chain: Stretch(seen.newest.get(chain, 0), number) for chain, number in sight.newest.items()}
    return await world.batches.read(wanted, 10)


async def changed(world: World, seen: Sight) -> set[UserId | None]:
    """Who has changed since."""
    sight = await world.batches.look(seen.newest, seen.position)
    return set(sight.changed)


async def test_each_commit_is_a_batch_with_the_next_number(world: World) -> None:
    """From 1 on; others see it whole, with what each write added and when."""
    ann, bob = await world.player("Ann"), await world.player("Bob")
    seen = await world.batches.look({}, None)
    first, second = await committed(world, ann, bob, ann), await committed(world, bob)
    assert [{1}, {2}] == [{each.batch for each in each} for each in (first, second)]
    batches = await new_batches(world, seen)
    assert [1, 2] == [batch.number for batch in batches]
    assert [[each.fact for each in each] for each in (first, second)] == [list(batch.facts) for batch in batches]
    assert 1 == len({batch.chain for batch in batches})


async def test_only_what_is_new_has_a_batch(world: World) -> None:
    """Neither what was known nor what is refused; a commit of nothing else makes no batch at all."""
    ann = await world.player("Ann")
    first, refused = write(ann), write(ANYBODY)
    await world.scores.commit([first])
    known, _, spent = await world.scores.commit([first, refused, again(first)])
    assert isinstance(known, Committed)
    assert (True, 0) == (known.again, known.batch)
    assert not isinstance(spent, Committed)
    repeated, _, fresh = await world.scores.commit([first, refused, write(ann)])
    assert isinstance(repeated, Committed)
    assert isinstance(fresh, Committed)
    assert (0, 2) == (repeated.batch, fresh.batch)


async def test_a_worker_does_not_see_its_own_batches(world: World) -> None:
    """It knows them already."""
    ann = await world.player("Ann")
    await committed(world, ann)
    assert {} == (await world.own_batches.look({}, None)).newest
    assert [1] == list((await world.batches.look({}, None)).newest.values())


async def test_a_look_tells_of_chains_of_which_there_is_more(world: World) -> None:
    """With the number of the newest batch."""
    ann = await world.player("Ann")
    await committed(world, ann)
    [chain] = (await world.batches.look({}, None)).newest
    await committed(world, ann)
    await committed(world, ann)
    assert [{chain: 3}, {chain: 3}, {}] == [(await world.batches.look({chain: n}, None)).newest for n in (0, 2, 3)]


async def test_a_stretch_of_batches_is_read_in_order_and_no_more_than_asked(world: World) -> None:
    """Behind its first number, up to its last, and so many at most."""
    ann = await world.player("Ann")
    for _ in range(5):
        await committed(world, ann)
    [chain] = (await world.batches.look({}, None)).newest
    assert [2, 3, 4] == [batch.number for batch in await world.batches.read({chain: Stretch(1, 4)}, 10)]
    assert [2, 3] == [batch.number for batch in await world.batches.read({chain: Stretch(1, 4)}, 2)]
    assert [] == await world.batches.read({chain: Stretch(5, 9)}, 10)


async def test_batches_are_read_with_the_looks_of_now(world: World) -> None:
    """Country and picture, and whether the player is hidden; the total is that of the batch."""
    ann = await world.player("Ann")
    seen = await world.batches.look({}, None)
    [first] = await committed(world, ann)
    await world.profiles.change_profile(ann, ProfileChange(country="DE", avatar="https://example.org/a.png"))
    await world.stand(ann, quarantined=True)
    [batch] = await new_batches(world, seen)
    assert (first.fact._replace(country="DE", avatar="https://example.org/a.png", hidden=True),) == batch.facts


async def test_players_who_are_new_or_look_another_way_are_told(world: World) -> None:
    """By a registration, a profile, a standing that hides or shows, also by hand; not by what changes nothing."""
    ann = await world.player("Ann")
    seen = await world.batches.look({}, None)
    assert (set(), frozenset()) == (await changed(world, seen), seen.changed)
    bob = await world.player("Bob")
    assert {bob} == await changed(world, seen)
    seen = await world.batches.look({}, None)
    await committed(world, ann)
    await world.stand(ann, flagged=True, reputation=3)
    await world.profiles.change_profile(ann, ProfileChange(country=None))
    assert set() == await changed(world, seen)
    for change in (
        world.profiles.change_profile(ann, ProfileChange(country="DE")),
        world.stand(ann, quarantined=True),
        world.stand(ann, quarantined=False),
        world.ban(ann),
    ):
        seen = await world.batches.look({}, None)
        await change
        assert {ann} == await changed(world, seen)


async def test_a_look_tells_which_history_it_is_of(world: World) -> None:
    """The same to all workers, as long as nothing was lost."""
    first = await world.batches.look({}, None)
    ann = await world.player("Ann")
    await committed(world, ann)
    looks = [await world.own_batches.look({}, None), await world.batches.look(first.newest, first.position)]
    assert first.history
    assert {first.history} == {sight.history for sight in looks}


async def test_changes_behind_a_position_are_told_and_not_those_before(world: World) -> None:
    """With the same position they are told again."""
    ann = await world.player("Ann")
    first = await world.batches.look({}, None)
    bob = await world.player("Bob")
    second = await world.batches.look({}, first.position)
    eve = await world.player("Eve")
    third = await world.batches.look({}, second.position)
    assert [{bob}, {eve}] == [sight.changed for sight in (second, third)]
    assert {bob, eve} == (await world.batches.look({}, first.position)).changed
    assert ann not in {bob, eve}


async def test_totals_are_told_as_they_stand(world: World) -> None:
    """Of those who are asked for and are there; a change by hand has a version too."""
    ann, bob = await world.player("Ann"), await world.player("Bob")
    [scored] = await committed(world, bob)
    [before] = await world.batches.totals([ann, ANYBODY])
    await world.ban(ann)
    [after] = await world.batches.totals([ann])
    assert before._replace(version=before.version + 1, hidden=True) == after
    totals = await world.batches.totals([bob, ann])
    assert {as_it_stands(scored.fact), after} == set(totals)
