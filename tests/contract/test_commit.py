from __future__ import annotations

from actors.ports import (
    HMAC,
    MAX_SCORE,
    NEVER_US,
    AnswerRecord,
    BannedUser,
    CommitOutcome,
    Committed,
    KeyConflict,
    KeyLookup,
    OperationId,
    Repeated,
    Source,
    TokenSpent,
    UnknownUser,
    UserId,
)
from tests.contract.making import NOW_US, Backend, World, again, as_it_stands, uuid_of, write


def repeated(first: CommitOutcome) -> Committed:
    """What a committed operation is told when it comes again."""
    assert isinstance(first, Committed)
    return first._replace(again=True, batch=0)


async def test_a_write_raises_the_total_and_tells_it(world: World) -> None:
    """The fact carries the name, the new total and the first version."""
    ann = await world.player("Ann")
    [outcome] = await world.scores.commit([write(ann, points=3)])
    assert isinstance(outcome, Committed)
    assert (ann, "Ann", 3, 1, 3) == (
        outcome.fact.user_id,
        outcome.fact.username,
        outcome.fact.score,
        outcome.fact.version,
        outcome.points,
    )


async def test_several_writes_of_one_player_count_in_the_order_given(world: World) -> None:
    """Versions follow the order within each player, moments the order within the call."""
    ann, bob = await world.player("Ann"), await world.player("Bob")
    outcomes = await world.scores.commit(
        [write(ann), write(bob, points=5), write(ann, points=2), write(bob), write(ann)]
    )
    facts = [outcome.fact for outcome in outcomes if isinstance(outcome, Committed)]
    assert [(ann, 1, 1), (bob, 5, 1), (ann, 3, 2), (bob, 6, 2), (ann, 4, 3)] == [
        (fact.user_id, fact.score, fact.version) for fact in facts
    ]
    moments = [fact.reached_us for fact in facts]
    assert sorted(set(moments)) == moments


async def test_later_calls_go_on_from_earlier_ones(world: World) -> None:
    """Totals, versions and moments rise from call to call."""
    ann = await world.player("Ann")
    [first] = await world.scores.commit([write(ann)])
    [second] = await world.scores.commit([write(ann)])
    assert isinstance(first, Committed)
    assert isinstance(second, Committed)
    assert (2, 2) == (second.fact.score, second.fact.version)
    assert second.fact.reached_us > first.fact.reached_us
    assert [as_it_stands(second.fact)] == await world.scores.members_after(None, 10)


async def test_an_operation_counts_once_however_often_it_is_committed(world: World) -> None:
    """The first outcome comes again and says so, also when more was scored since, and also within one call."""
    ann = await world.player("Ann")
    asked = write(ann, "key")
    [first, within] = await world.scores.commit([asked, asked])
    await world.scores.commit([write(ann)])
    assert isinstance(first, Committed)
    assert not first.again
    assert [repeated(first)] * 2 == [within, *await world.scores.commit([asked])]
    assert [2] == [fact.score for fact in await world.scores.members_after(None, 10)]


async def test_a_key_with_the_same_request_gets_the_first_answer(world: World) -> None:
    """Before the ranks were told it has none; then it has them, and they stay the first ones."""
    ann = await world.player("Ann")
    asked = write(ann, "key")
    [first] = await world.scores.commit([asked])
    assert isinstance(first, Committed)
    assert [Repeated(first.fact, 1, None, None)] == await world.scores.commit([again(asked)])
    await world.scores.commit([], [AnswerRecord(ann, "key", 4, 2)])
    await world.scores.commit([write(ann)], [AnswerRecord(ann, "key", 9, 9)])
    assert [Repeated(first.fact, 1, 4, 2)] == await world.scores.commit([again(asked)])


async def test_an_answer_without_a_previous_rank_is_an_answer(world: World) -> None:
    """Nobody was ranked before the first score; a later record does not fill the gap."""
    ann = await world.player("Ann")
    asked = write(ann, "key")
    await world.scores.commit([asked])
    await world.scores.commit([], [AnswerRecord(ann, "key", None, 1), AnswerRecord(ann, "key", 7, 7)])
    [outcome] = await world.scores.commit([again(asked)], [AnswerRecord(ann, "key", 5, 5)])
    assert isinstance(outcome, Repeated)
    assert (None, 1) == (outcome.previous_rank, outcome.new_rank)


async def test_answers_are_kept_before_the_writes_are_judged(world: World) -> None:
    """A repeat that travels with its own answer hears it."""
    ann = await world.player("Ann")
    asked = write(ann, "key")
    await world.scores.commit([asked])
    [outcome] = await world.scores.commit([again(asked)], [AnswerRecord(ann, "key", 3, 2)])
    assert isinstance(outcome, Repeated)
    assert (3, 2) == (outcome.previous_rank, outcome.new_rank)


async def test_an_answer_for_an_unknown_key_changes_nothing(world: World) -> None:
    """It is not remembered either."""
    ann = await world.player("Ann")
    assert [] == await world.scores.commit([], [AnswerRecord(ann, "key", 3, 2), AnswerRecord(UserId("x"), "key", 3, 2)])
    assert [None] == await world.scores.recall([KeyLookup(ann, "key", b"request")])


async def test_a_key_with_another_request_conflicts(world: World) -> None:
    """Nothing is added, and the token stays unspent."""
    ann = await world.player("Ann")
    other = write(ann, "key", request=b"other")
    await world.scores.commit([write(ann, "key")])
    assert [KeyConflict()] == await world.scores.commit([other])
    [outcome] = await world.scores.commit([other._replace(idempotency_key="another key")])
    assert isinstance(outcome, Committed)


async def test_the_same_key_of_two_players_is_two_keys(world: World) -> None:
    """Keys belong to their player."""
    ann, bob = await world.player("Ann"), await world.player("Bob")
    outcomes = await world.scores.commit([write(ann, "key"), write(bob, "key", request=b"other")])
    assert [Committed, Committed] == [type(outcome) for outcome in outcomes]


async def test_a_token_counts_once(world: World) -> None:
    """In a later call and within one call alike."""
    ann = await world.player("Ann")
    first, second = write(ann), write(ann)
    await world.scores.commit([first])
    outcomes = await world.scores.commit([again(first), second, again(second)])
    assert [TokenSpent, Committed, TokenSpent] == [type(outcome) for outcome in outcomes]
    assert [2] == [fact.score for fact in await world.scores.members_after(None, 10)]


async def test_a_token_of_somebody_else_is_spent_for_all(world: World) -> None:
    """What one player spent, no other can."""
    ann, bob = await world.player("Ann"), await world.player("Bob")
    first = write(ann)
    outcomes = await world.scores.commit([first, again(first)._replace(user_id=bob)])
    assert [Committed, TokenSpent] == [type(outcome) for outcome in outcomes]


async def test_a_refused_write_spends_neither_token_nor_key(world: World) -> None:
    """What stands behind it in the same call finds both free."""
    ann = await world.player("Ann")
    spent = write(ann)
    fresh = write(ann, "key")
    await world.scores.commit([spent])
    refused = again(spent)._replace(idempotency_key="key")
    stranger = again(fresh)._replace(user_id=UserId(uuid_of(0)))
    outcomes = await world.scores.commit([refused, stranger, fresh, again(fresh)])
    assert [TokenSpent, UnknownUser, Committed, Repeated] == [type(outcome) for outcome in outcomes]


async def test_who_is_unknown_or_banned_cannot_score(world: World) -> None:
    """Others in the same call are not held up, and ids that are no UUIDs are simply unknown."""
    ann, eve = await world.player("Ann"), await world.player("Eve")
    await world.ban(eve)
    outcomes = await world.scores.commit([write(UserId(uuid_of(0))), write(eve), write(UserId("no uuid")), write(ann)])
    assert [UnknownUser(), BannedUser(), UnknownUser(), Committed] == [*outcomes[:3], type(outcomes[3])]


async def test_the_checks_come_in_their_order(world: World) -> None:
    """Operation, then key, then player, then token."""
    eve = await world.player("Eve")
    first = write(eve, "key")
    [committed] = await world.scores.commit([first])
    await world.ban(eve)
    other = again(first)._replace(request_hash=b"other")
    keyless = again(first)._replace(idempotency_key=None)
    outcomes = await world.scores.commit([first, again(first), other, keyless])
    known = repeated(committed)
    known = known._replace(fact=known.fact._replace(hidden=True))
    assert [known, Repeated, KeyConflict(), BannedUser()] == [outcomes[0], type(outcomes[1]), *outcomes[2:]]


async def test_a_known_operation_is_known_whatever_its_request_says_now(world: World) -> None:
    """Its id names it for ever."""
    ann = await world.player("Ann")
    first = write(ann, "key")
    [committed] = await world.scores.commit([first])
    assert [repeated(committed)] == await world.scores.commit([first._replace(request_hash=b"other", points=9)])


async def test_a_total_stops_at_its_bound(world: World) -> None:
    """2^53 is the last exact integer of a browser; the points tell what was really added."""
    ann = await world.player("Ann")
    await world.set_score(ann, MAX_SCORE - 3)
    outcomes = await world.scores.commit([write(ann, points=2), write(ann, points=2), write(ann, points=MAX_SCORE)])
    told = [(outcome.fact.score, outcome.points) for outcome in outcomes if isinstance(outcome, Committed)]
    assert [(MAX_SCORE - 1, 2), (MAX_SCORE, 1), (MAX_SCORE, 0)] == told


async def test_odd_origins_do_not_hurt_the_batch(world: World) -> None:
    """What a client writes into its headers is not its neighbours' trouble."""
    ann = await world.player("Ann")
    odd = [Source("not an address", "\0\ud800" + "x" * 9_000), Source("fe80::1%eth0", ""), Source(None, None)]
    outcomes = await world.scores.commit([write(ann)._replace(source=source) for source in odd])
    assert [Committed] * 3 == [type(outcome) for outcome in outcomes]


async def test_operation_ids_may_be_any_text(world: World) -> None:
    """They name an operation; what they look like is the caller's."""
    ann = await world.player("Ann")
    asked = write(ann)._replace(operation_id=OperationId("ann's third goal"))
    [first] = await world.scores.commit([asked])
    assert [repeated(first)] == await world.scores.commit([asked])


async def test_an_empty_call_is_no_call(world: World) -> None:
    """Nothing in, nothing out."""
    assert [] == await world.scores.commit([])
    assert [] == await world.scores.recall([])


async def test_keys_are_recalled_in_the_order_asked(world: World) -> None:
    """Known, conflicting and unknown ones beside each other, and the same one twice."""
    ann = await world.player("Ann")
    [first] = await world.scores.commit([write(ann, "key", points=2)], [])
    await world.scores.commit([], [AnswerRecord(ann, "key", 8, 6)])
    assert isinstance(first, Committed)
    same, other = KeyLookup(ann, "key", b"request"), KeyLookup(ann, "key", b"other")
    known = Repeated(first.fact, 2, 8, 6)
    lookups = [other, same, KeyLookup(ann, "no such key", b"request"), same, KeyLookup(UserId("x"), "key", b"request")]
    assert [KeyConflict(), known, None, known, None] == await world.scores.recall(lookups)


async def test_what_was_committed_is_there_after_reopening(backend: Backend) -> None:
    """Totals, operations, tokens, keys and their ranks."""
    async with backend.open() as world:
        ann = await world.player("Ann")
        asked = write(ann, "key")
        [first] = await world.scores.commit([asked])
        await world.scores.commit([], [AnswerRecord(ann, "key", None, 1)])
    assert isinstance(first, Committed)
    async with backend.open() as world:
        spent = again(asked)._replace(idempotency_key=None)
        outcomes = await world.scores.commit([asked, again(asked), spent])
        assert [repeated(first), Repeated(first.fact, 1, None, 1), TokenSpent()] == outcomes
        assert [as_it_stands(first.fact)] == await world.scores.members_after(None, 10)


async def test_members_come_by_ascending_id_a_page_at_a_time(world: World) -> None:
    """Each once, in whatever sizes of pages; who is banned is told to be hidden."""
    ids = [await world.player(f"player {number}") for number in range(7)]
    await world.ban(ids[3])
    pages, last = [], None
    while page := await world.scores.members_after(last, 2):
        pages.append([fact.user_id for fact in page])
        assert [user_id == ids[3] for user_id in pages[-1]] == [fact.hidden for fact in page]
        last = page[-1].user_id
    assert sorted(ids) == [user_id for page in pages for user_id in page]
    assert [2, 2, 2, 1] == [len(page) for page in pages]


async def test_purging_forgets_expired_tokens_and_old_keys(world: World) -> None:
    """What is young enough stays, totals stay in any case."""
    ann = await world.player("Ann")
    old = write(ann, "key")._replace(token_expires_us=NOW_US - 1)
    young = write(ann)
    await world.scores.commit([old, young])
    assert 1 == await world.scores.purge(before_us=NOW_US)
    outcomes = await world.scores.commit([again(old), again(young)])
    assert [Repeated, TokenSpent] == [type(outcome) for outcome in outcomes]
    assert 2 == await world.scores.purge(before_us=NOW_US * 2)
    assert [None] == await world.scores.recall([KeyLookup(ann, "key", b"request")])
    assert [2] == [fact.score for fact in await world.scores.members_after(None, 10)]


async def test_an_action_that_must_never_be_forgotten_outlives_every_purge(world: World) -> None:
    """Also the one that is told a moment after the end of all tokens of today."""
    ann = await world.player("Ann")
    first = write(ann)._replace(token_expires_us=NEVER_US)
    [committed] = await world.scores.commit([first])
    assert 0 == await world.scores.purge(before_us=NEVER_US - 1)
    outcomes = await world.scores.commit([first, again(first)])
    assert [repeated(committed), TokenSpent()] == outcomes


async def test_the_catalogue_tells_what_actions_are_worth(world: World) -> None:
    """A fresh database knows these, each proven by the game's server."""
    worth = {"INCREMENT": 1, "COMPLETE_QUEST": 50, "WIN_GAME": 100, "ACHIEVEMENT_UNLOCK": 25}
    assert worth == await world.catalogue.actions()
    assert [(name, worth[name], HMAC) for name in sorted(worth)] == [
        (kind.action_type, kind.points, kind.verifier) for kind in await world.catalogue.kinds()
    ]


async def test_a_total_stops_however_much_is_added_at_once(world: World) -> None:
    """More than 64 bits hold, in one call: the first write fills the total, and the others add nothing."""
    ann = await world.player("Ann")
    outcomes = await world.scores.commit([write(ann, points=MAX_SCORE) for _ in range(1_100)])
    told = [(outcome.fact.score, outcome.points) for outcome in outcomes if isinstance(outcome, Committed)]
    assert [(MAX_SCORE, MAX_SCORE), *[(MAX_SCORE, 0)] * 1_099] == told


async def test_the_ledger_keeps_what_an_action_is_called(world: World) -> None:
    """Each score has its action's id beside it: one alone, in a batch, and where another of the batch is no news."""
    ann, bob = await world.player("Ann"), await world.player("Bob")
    first, second, third = (
        write(ann, points=2)._replace(action_id=name) for name in ("match-17/goal-1", "ö", "b" * 128)
    )
    await world.scores.commit([first])
    await world.scores.commit([second, write(bob)])
    await world.scores.commit([again(first), third])
    assert ["match-17/goal-1", "ö", "b" * 128] == await world.filed(ann)
