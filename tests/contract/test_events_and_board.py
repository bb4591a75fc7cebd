from __future__ import annotations

from actors.ports import ALL_TIME, NEVER_US, BoardId, BoardPart, ScoreFact, UserId
from tests.contract.making import World

ANN, BOB, EVE = UserId("ann"), UserId("bob"), UserId("eve")


def fact(user_id: UserId, score: int, version: int = 1) -> ScoreFact:
    """A fact whose name comes of its id."""
    return ScoreFact(user_id, user_id.title(), score, version, 1_750_000_000_000_000 + score)


async def test_entries_are_read_in_the_order_in_which_they_were_added(world: World) -> None:
    """From the oldest, from a position on, and none behind the last."""
    positions = [await world.events.append([fact(ANN, number), fact(BOB, number)]) for number in range(5)]
    entries = await world.events.read(None, 100)
    assert positions == [entry.position for entry in entries]
    assert [(fact(ANN, number), fact(BOB, number)) for number in range(5)] == [entry.facts for entry in entries]
    assert entries[3:] == await world.events.read(positions[2], 100)
    assert [] == await world.events.read(positions[-1], 100)


async def test_reading_takes_no_more_than_asked(world: World) -> None:
    """Page after page, nothing twice and nothing left out."""
    for number in range(5):
        await world.events.append([fact(ANN, number)])
    scores, after = [], None
    while page := await world.events.read(after, 2):
        assert 2 >= len(page)
        scores += [entry.facts[0].score for entry in page]
        after = page[-1].position
    assert [0, 1, 2, 3, 4] == scores


async def test_facts_come_back_as_they_were(world: World) -> None:
    """Names of all languages, scores to the bound; an entry may also be empty."""
    whole = ScoreFact(ANN, "Zoë 🏆 李", 2**53, 2**40, 2**52, 2**50, 2**51, "DE", "https://example.org/z.png")
    facts = (whole, fact(BOB, 0))
    await world.events.append(facts)
    await world.events.append([])
    assert [facts, ()] == [entry.facts for entry in await world.events.read(None, 10)]


async def test_the_board_has_the_best_first(world: World) -> None:
    """As many as asked, equal scores by descending id."""
    await world.cache.put(ALL_TIME, [fact(ANN, 3), fact(BOB, 2**53), fact(EVE, 3)])
    assert [(BOB, 2**53), (EVE, 3), (ANN, 3)] == await world.cache.top(ALL_TIME, 10)
    assert [(BOB, 2**53)] == await world.cache.top(ALL_TIME, 1)
    assert [] == await world.cache.top(ALL_TIME, 0)


async def test_late_and_repeated_facts_never_lower_a_score(world: World) -> None:
    """Neither in one batch nor across batches."""
    await world.cache.put(ALL_TIME, [fact(ANN, 5), fact(ANN, 4)])
    await world.cache.put(ALL_TIME, [fact(ANN, 3)])
    assert [(ANN, 5)] == await world.cache.top(ALL_TIME, 10)


async def test_boards_are_apart_and_can_be_cleared(world: World) -> None:
    """Clearing one leaves the other; an empty batch is fine."""
    weekly = BoardId("weekly")
    await world.cache.put(ALL_TIME, [fact(ANN, 5)])
    await world.cache.put(weekly, [fact(BOB, 1)])
    await world.cache.put(weekly, [])
    await world.cache.clear(ALL_TIME)
    assert [] == await world.cache.top(ALL_TIME, 10)
    assert [(BOB, 1)] == await world.cache.top(weekly, 10)


async def test_a_board_is_shown_part_by_part(world: World) -> None:
    """Scores are set, also lowered, and players go; a part that begins anew forgets what was there."""
    weekly, soon = BoardId("weekly:US"), NEVER_US
    await world.cache.show(BoardPart(weekly, {ANN: 5, BOB: 4}, anew=True, until_us=soon))
    await world.cache.show(BoardPart(weekly, {ANN: 3, EVE: 2**53}, (BOB, UserId("nobody")), until_us=soon))
    assert [(EVE, 2**53), (ANN, 3)] == await world.cache.top(weekly, 10)
    await world.cache.show(BoardPart(weekly, {BOB: 1}, anew=True))
    assert [(BOB, 1)] == await world.cache.top(weekly, 10)
    await world.cache.show(BoardPart(weekly, {}, anew=True))
    assert [] == await world.cache.top(weekly, 10)


async def test_who_is_hidden_is_in_no_set_until_shown_again(world: World) -> None:
    """The newest fact decides, wherever it stands in the batch; and the log carries it."""
    seen = ScoreFact(ANN, "Ann", 4, 1, 0)
    hidden = seen._replace(version=2, hidden=True)
    await world.cache.put(ALL_TIME, [seen])
    await world.cache.put(ALL_TIME, [hidden, seen])
    assert [] == await world.cache.top(ALL_TIME, 10)
    await world.cache.put(ALL_TIME, [hidden._replace(version=3, score=5, hidden=False), hidden])
    assert [(ANN, 5)] == await world.cache.top(ALL_TIME, 10)
    await world.events.append([hidden])
    assert (hidden,) == (await world.events.read(None, 10))[-1].facts
