from __future__ import annotations

import pytest

from actors.ports import BannedUser, Profile, ProfileChange, ScoreFact, StoreFault, UnknownUser, UserId
from tests.contract.making import World, write


async def changed(world: World, user_id: UserId, change: ProfileChange) -> ScoreFact:
    """Change it, and what the boards are told."""
    fact = await world.profiles.change_profile(user_id, change)
    assert isinstance(fact, ScoreFact)
    return fact


async def test_a_profile_tells_who_somebody_is(world: World) -> None:
    """As registered, and then as changed; a score counts as activity."""
    ann = await world.player("Ann")
    made = await world.profiles.profile(ann)
    assert isinstance(made, Profile)
    who = (ann, "Ann", "Ann@example.org", "user")
    assert Profile(*who, None, None, made.created_us, made.created_us, active=True, banned=False) == made
    await world.scores.commit([write(ann)])
    await changed(world, ann, ProfileChange(country="DE", avatar="a.png"))
    now = await world.profiles.profile(ann)
    assert isinstance(now, Profile)
    assert ("DE", "a.png", made.created_us) == (now.country, now.avatar, now.created_us)
    assert now.last_active_us > made.last_active_us
    assert await world.profiles.profile(UserId("nobody")) is None


async def test_a_change_is_a_fact_with_the_next_version_and_the_same_place(world: World) -> None:
    """And the next score goes on from there, with what was changed."""
    ann = await world.player("Ann")
    [scored] = await world.scores.commit([write(ann, points=3)])
    before = scored.fact  # type: ignore[union-attr]
    fact = await changed(world, ann, ProfileChange(country="DE"))
    assert before._replace(version=2, points=0, occurred_us=0, country="DE") == fact
    [scored] = await world.scores.commit([write(ann)])
    after = scored.fact  # type: ignore[union-attr]
    assert (4, 3, "DE", None) == (after.score, after.version, after.country, after.avatar)
    assert [(4, 3, "DE", None)] == [
        (each.score, each.version, each.country, each.avatar) for each in await world.scores.members_after(None, 10)
    ]


async def test_what_is_not_named_stays_and_none_takes_it_away(world: World) -> None:
    """Each by itself."""
    ann = await world.player("Ann")
    await changed(world, ann, ProfileChange("DE", "a.png"))
    fact = await changed(world, ann, ProfileChange(avatar=None))
    assert ("DE", None) == (fact.country, fact.avatar)
    fact = await changed(world, ann, ProfileChange(avatar="b.png", country=None))
    assert (None, "b.png") == (fact.country, fact.avatar)


async def test_the_same_change_again_changes_nothing(world: World) -> None:
    """The same answer, and no new version."""
    ann = await world.player("Ann")
    first = await changed(world, ann, ProfileChange("DE", "a.png"))
    assert first == await changed(world, ann, ProfileChange("DE", "a.png"))
    assert first == await changed(world, ann, ProfileChange())


async def test_a_stranger_and_a_banned_player_change_nothing(world: World) -> None:
    """The one is not there, the other on no board."""
    ann = await world.player("Ann")
    await world.ban(ann)
    assert UnknownUser() == await world.profiles.change_profile(UserId("nobody"), ProfileChange("DE"))
    assert BannedUser() == await world.profiles.change_profile(ann, ProfileChange("DE"))
    profile = await world.profiles.profile(ann)
    assert profile is not None
    assert (None, True) == (profile.country, profile.banned)


async def test_a_country_of_three_letters_is_rejected(world: World) -> None:
    """It is a mistake of ours, and changes nothing."""
    ann = await world.player("Ann")
    with pytest.raises(StoreFault):
        await world.profiles.change_profile(ann, ProfileChange("DEU"))
