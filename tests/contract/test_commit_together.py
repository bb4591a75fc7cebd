from __future__ import annotations

import trio

from actors.ports import CommitOutcome, Committed, Repeated, ScoreStore, ScoreWrite, TokenSpent
from tests.contract.making import Backend, World, again, write


async def commit_all(stores: list[ScoreStore], batches: list[list[ScoreWrite]]) -> list[CommitOutcome]:
    """Each batch in a task of its own, the stores taken in turn; all outcomes."""
    outcomes: list[CommitOutcome] = []

    async def one(store: ScoreStore, batch: list[ScoreWrite]) -> None:
        outcomes.extend(await store.commit(batch))

    async with trio.open_nursery() as nursery:
        for number, batch in enumerate(batches):
            nursery.start_soon(one, stores[number % len(stores)], batch)
    return outcomes


async def test_one_token_used_a_hundred_times_at_once_is_one_point(world: World) -> None:
    """Whoever comes first gets it, the other ninety-nine hear that it is spent."""
    ann = await world.player("Ann")
    first = write(ann)
    outcomes = await commit_all([world.scores], [[again(first)] for _ in range(100)])
    assert 1 == sum(isinstance(outcome, Committed) for outcome in outcomes)
    assert 99 == outcomes.count(TokenSpent())
    assert [(1, 1)] == [(fact.score, fact.version) for fact in await world.scores.members_after(None, 10)]


async def test_one_token_by_many_players_at_once_is_one_point(world: World) -> None:
    """Their rows are locked one by one, so only the token itself is between them."""
    players = [await world.player(f"player {number}") for number in range(20)]
    first = write(players[0])
    outcomes = await commit_all([world.scores], [[again(first)._replace(user_id=player)] for player in players])
    assert 1 == sum(isinstance(outcome, Committed) for outcome in outcomes)
    assert 1 == sum(fact.score for fact in await world.scores.members_after(None, 100))


async def test_one_key_used_many_times_at_once_is_one_point(world: World) -> None:
    """Every request has a token of its own; all but one hear the first answer."""
    ann = await world.player("Ann")
    outcomes = await commit_all([world.scores], [[write(ann, "key")] for _ in range(30)])
    [first] = [outcome for outcome in outcomes if isinstance(outcome, Committed)]
    assert 29 == outcomes.count(Repeated(first.fact, 1, None, None))


async def test_two_pools_with_the_same_players_in_opposite_order_do_not_deadlock(backend: Backend) -> None:
    """As two workers would: no refusal, no lost point, and each player's versions without a gap."""
    async with backend.open() as one, backend.open() as other:
        players = [await one.player(f"player {number}") for number in range(12)]
        batches = []
        for number in range(40):
            order = players if number % 2 else players[::-1]
            batches.append([write(player, f"key {number}") for player in order])
        outcomes = await commit_all([one.scores, other.scores], batches)
        facts = [outcome.fact for outcome in outcomes if isinstance(outcome, Committed)]
        assert 40 * 12 == len(facts)
        for player in players:
            own = sorted((fact.version, fact.score) for fact in facts if fact.user_id == player)
            assert [(number, number) for number in range(1, 41)] == own


async def test_the_moments_of_one_player_rise_with_the_versions_across_calls(world: World) -> None:
    """Who reached a score first is told by the moment, whatever came over which connection."""
    ann = await world.player("Ann")
    outcomes = await commit_all([world.scores], [[write(ann) for _ in range(5)] for _ in range(10)])
    facts = sorted(
        (outcome.fact for outcome in outcomes if isinstance(outcome, Committed)), key=lambda fact: fact.version
    )
    moments = [fact.reached_us for fact in facts]
    assert list(range(1, 51)) == [fact.version for fact in facts]
    assert sorted(set(moments)) == moments
