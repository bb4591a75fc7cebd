from __future__ import annotations

import itertools

import trio

from actors.ports import ALL_TIME, NEVER_US, BoardId, BoardPart, Heard, ScoreFact, UserId
from tests.contract.making import OTHER, World

ANN, BOB, EVE = UserId("ann"), UserId("bob"), UserId("eve")


def fact(user_id: UserId, score: int, version: int = 1) -> ScoreFact:
    """A fact whose name comes of its id."""
    return ScoreFact(user_id, user_id.title(), score, version, 1_750_000_000_000_000 + score)


async def test_entries_are_read_in_the_order_in_which_they_were_added(world: World) -> None:
    """From the beginning, from a position on, and none behind the last, which is the end."""
    begin = await world.events.end()
    positions = [await world.events.append([fact(ANN, number), fact(BOB, number)]) for number in range(5)]
    heard = await world.elsewhere.read(begin, 100)
    assert positions == [entry.position for entry in heard.entries]
    assert [(fact(ANN, number), fact(BOB, number)) for number in range(5)] == [entry.facts for entry in heard.entries]
    assert Heard(heard.entries[3:], positions[-1]) == await world.elsewhere.read(positions[2], 100)
    assert Heard((), positions[-1]) == await world.elsewhere.read(positions[-1], 100)
    assert positions[-1] == await world.elsewhere.end()


async def test_reading_takes_no_more_than_asked(world: World) -> None:
    """Page after page, nothing twice and nothing left out."""
    for number in range(5):
        await world.events.append([fact(ANN, number)])
    scores, after = [], "0"
    while (page := await world.elsewhere.read(after, 2)).entries:
        assert 2 >= len(page.entries)
        scores += [entry.facts[0].score for entry in page.entries]
        after = page.position
    assert [0, 1, 2, 3, 4] == scores


async def test_facts_come_back_as_they_were(world: World) -> None:
    """Names of all languages, scores to the bound; an entry may also be empty."""
    whole = ScoreFact(ANN, "Zoë 🏆 李", 2**53, 2**40, 2**52, 2**50, 2**51, "DE", "https://example.org/z.png")
    facts = (whole, fact(BOB, 0))
    await world.events.append(facts)
    await world.events.append([])
    assert [facts, ()] == [entry.facts for entry in (await world.elsewhere.read("0", 10)).entries]


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
    """Scores are set, also lowered, and players go; a whole copy takes the place of what was there."""
    weekly, soon = BoardId("weekly:US"), NEVER_US
    await world.cache.show(BoardPart(weekly, {ANN: 5, BOB: 4}, piece=0, whole=True, until_us=soon))
    await world.cache.show(BoardPart(weekly, {ANN: 3, EVE: 2**53}, (BOB, UserId("nobody")), until_us=soon))
    assert [(EVE, 2**53), (ANN, 3)] == await world.cache.top(weekly, 10)
    await world.cache.show(BoardPart(weekly, {BOB: 1}, piece=0))
    assert [(EVE, 2**53), (ANN, 3), (BOB, 1)] == await world.cache.top(weekly, 10)
    await world.cache.show(BoardPart(weekly, {ANN: 7}, piece=1, whole=True))
    assert [(ANN, 7), (BOB, 1)] == await world.cache.top(weekly, 10)
    await world.cache.show(BoardPart(weekly, {}, piece=0, whole=True))
    assert [] == await world.cache.top(weekly, 10)


async def test_a_copy_of_which_a_piece_is_missing_takes_nothings_place(world: World) -> None:
    """Also when it begins anew in between; what the pieces tell is shown."""
    weekly = BoardId("weekly")
    await world.cache.show(BoardPart(weekly, {ANN: 5}))
    for part in ({BOB: 1}, 0, False), ({}, 2, True), ({BOB: 1}, 0, False), ({EVE: 2}, 0, False), ({}, 2, True):
        await world.cache.show(BoardPart(weekly, part[0], (), *part[1:]))
    assert [(ANN, 5), (EVE, 2), (BOB, 1)] == await world.cache.top(weekly, 10)


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
    assert (hidden,) == (await world.elsewhere.read("0", 10)).entries[-1].facts


async def test_two_workers_in_any_order_leave_the_same_board(world: World) -> None:
    """Of scores the highest stays; who is hidden by the last of all is off, whoever comes late with one of before."""
    seen = [ScoreFact(ANN, "Ann", score, score, 0) for score in range(1, 5)]
    hidden = seen[3]._replace(version=5, hidden=True)
    for order in itertools.permutations([(seen[0], seen[1]), (seen[3],), (hidden,), (seen[2], fact(BOB, 9))]):
        for facts in order:
            await world.cache.put(ALL_TIME, facts)
        assert [(BOB, 9)] == await world.cache.top(ALL_TIME, 10)
        await world.cache.clear(ALL_TIME)


async def test_who_was_hidden_is_not_brought_back_by_what_came_before(world: World) -> None:
    """Another worker was slow to tell of it; what came later does, and being hidden before that does not count then."""
    seen = ScoreFact(ANN, "Ann", 4, 4, 0)
    hidden, shown = seen._replace(version=5, hidden=True), seen._replace(score=6, version=7)
    await world.cache.put(ALL_TIME, [hidden])
    await world.cache.put(ALL_TIME, [seen, fact(BOB, 9)])
    assert [(BOB, 9)] == await world.cache.top(ALL_TIME, 10)
    await world.cache.put(ALL_TIME, [shown])
    await world.cache.put(ALL_TIME, [hidden])
    await world.cache.put(ALL_TIME, [seen])
    assert [(BOB, 9), (ANN, 6)] == await world.cache.top(ALL_TIME, 10)
    await world.cache.put(ALL_TIME, [fact(UserId(f"u{number}"), number, 1) for number in range(3000)])
    assert 3002 == len(await world.cache.top(ALL_TIME, 9999))


async def test_an_entry_says_whose_it_is_and_which_batches_it_has(world: World) -> None:
    """Who wrote it passes it over, and goes on behind it."""
    begin = await world.events.end()
    first = await world.events.append([fact(ANN, 1)], (7, 8))
    await world.elsewhere.append([fact(BOB, 1)], (1,))
    last = await world.events.append([fact(ANN, 2)])
    heard = await world.elsewhere.read(begin, 10)
    assert [(7, 8), ()] == [entry.batches for entry in heard.entries]
    assert (1, last) == (len({entry.chain for entry in heard.entries}), heard.position)
    own = await world.events.read(begin, 10)
    assert [(OTHER, (1,), (fact(BOB, 1),))] == [(entry.chain, entry.batches, entry.facts) for entry in own.entries]
    assert (Heard((), first), last) == (await world.events.read(begin, 1), own.position)


async def test_an_entry_says_of_which_history_it_is(world: World) -> None:
    """Or that it does not know."""
    await world.events.append([fact(ANN, 1)], (1,), "2-abc")
    await world.events.append([fact(ANN, 2)], (2,))
    assert ["2-abc", ""] == [entry.history for entry in (await world.elsewhere.read("0", 10)).entries]


async def test_who_reads_at_the_end_waits_for_the_next_entry(world: World) -> None:
    """As long as it likes, and hears it at once when it comes."""
    end = await world.events.end()
    assert Heard((), end) == await world.elsewhere.read(end, 10, 0.05)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.events.append, [fact(ANN, 1)])
        with trio.fail_after(10):
            heard = await world.elsewhere.read(end, 10, 1.5)
    assert [(fact(ANN, 1),)] == [entry.facts for entry in heard.entries]
