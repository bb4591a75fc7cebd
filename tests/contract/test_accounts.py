from __future__ import annotations

from dataclasses import replace

import trio

from actors.ports import Account, EmailTaken, NameTaken, Registered, ScoreFact
from tests.contract.making import World, account


async def test_a_registration_puts_the_player_on_the_boards_with_nothing(world: World) -> None:
    """Score 0, version 0, and found under the folded name."""
    ann = account("Ann")
    registered = await world.accounts.register(ann)
    assert isinstance(registered, Registered)
    assert ScoreFact(ann.user_id, "Ann", 0, 0, registered.fact.reached_us) == registered.fact
    assert Account(ann.user_id, "Ann", ann.password_hash, "user", banned=False) == await world.accounts.account_named(
        "ann"
    )
    assert [registered.fact] == await world.scores.members_after(None, 10)


async def test_names_and_addresses_are_taken_in_their_folded_forms(world: World) -> None:
    """The name is judged first."""
    await world.accounts.register(account("Ann"))
    assert NameTaken() == await world.accounts.register(account("ANN", email="else@example.org"))
    assert EmailTaken() == await world.accounts.register(account("Bob", email="ANN@example.org"))
    assert NameTaken() == await world.accounts.register(account("ann"))
    assert await world.accounts.account_named("bob") is None


async def test_registering_the_same_account_again_gives_the_same_answer(world: World) -> None:
    """So a caller who lost the answer may simply ask again."""
    ann = account("Ann")
    first = await world.accounts.register(ann)
    assert first == await world.accounts.register(ann)
    assert NameTaken() == await world.accounts.register(replace(ann, user_id=account("x").user_id))


async def test_one_name_wanted_by_many_at_once_goes_to_one(world: World) -> None:
    """The others hear that it is taken."""
    answers: list[object] = []

    async def one(number: int) -> None:
        answers.append(await world.accounts.register(account("Ann", email=f"{number}@example.org")))

    async with trio.open_nursery() as nursery:
        for number in range(10):
            nursery.start_soon(one, number)
    assert 9 == answers.count(NameTaken())


async def test_a_ban_shows_in_the_account(world: World) -> None:
    """So that signing in can be refused."""
    await world.ban(await world.player("Eve"))
    eve = await world.accounts.account_named("eve")
    assert eve is not None
    assert eve.banned


async def test_letters_of_all_languages_are_kept(world: World) -> None:
    """As they were given, accents and emoji too."""
    await world.player("Zoë 🏆 李")
    found = await world.accounts.account_named("zoë 🏆 李")
    assert found is not None
    assert "Zoë 🏆 李" == found.username


async def test_nobody_looks_like_somebody_else(world: World) -> None:
    """That is said otherwise than that the name is taken; who does not say what it looks like looks like nobody."""
    first = replace(account("Ann"), look="ann")
    assert isinstance(await world.accounts.register(first), Registered)
    assert isinstance(await world.accounts.register(first), Registered)
    assert NameTaken(alike=True) == await world.accounts.register(replace(account("Anm"), look="ann"))
    assert NameTaken() == await world.accounts.register(replace(account("ann"), look="ann"))
    for other in (account("Bob"), account("Eve"), replace(account("Anna"), look="anna")):
        assert isinstance(await world.accounts.register(other), Registered)
