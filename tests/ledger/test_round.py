"""What a round knows of its writes once the transaction has ended; nothing waits here."""

from __future__ import annotations

from collections.abc import Sequence

from actors.ledger.messages import Commit, CommitMany, Result, TellBoards
from actors.ledger.round import Round
from actors.ports import NEVER_US, Committed, Repeated, ScoreWrite, SpentToken, StoreUnavailable, TokenSpent, UserId
from actors.runtime import Request
from tests.leaderboard.naive import fact
from tests.ledger.office import told, write

AWAY = StoreUnavailable("away")


def committing(one: ScoreWrite) -> Request:
    """Who asks for a single score."""
    return Request(Commit(one), asked=True)


def batch(*writes: ScoreWrite) -> Request:
    """Who asks for many."""
    return Request(CommitMany(writes, told), asked=True)


def heard(of: Round) -> list[tuple[str, int]]:
    """The facts that boards hear of."""
    return [(each.user_id, each.score) for each in of.news()]


def settled(of: Round, *results: Result) -> Round:
    """The round, when its transaction has ended so."""
    of.results = list(results)
    return of


def test_the_writes_stand_in_one_order_and_everybody_has_the_results_of_their_own() -> None:
    """What was in doubt, single scores, and each batch its own rows: nobody hears another's."""
    asked = [committing(write("b", 1)), committing(write("c", 1))]
    batches = [batch(write("d", 1), write("d", 2)), batch(write("e", 1)), batch(write("f", 1), write("f", 2))]
    done = Round([write("a", 1)], asked, batches, [])
    assert ["a", "b", "c", "d", "d", "e", "f", "f"] == [each.user_id for each in done.writes]
    results: Sequence[Result] = [Committed(fact(f"{each.operation_id}", 1), 1) for each in done.writes]
    settled(done, *results)
    assert list(zip(done.writes[:3], [None, *asked], results[:3], strict=True)) == list(done.singles)
    assert list(zip(batches, [results[3:5], results[5:6], results[6:]], strict=True)) == list(done.shares)


def test_the_keys_of_a_round_are_those_of_its_single_scores() -> None:
    """Also of those in doubt: their ranks must be with the store before who asks again. A key belongs to its player."""
    doubted = [write("a", 1, key="k"), write("a", 2)]
    asked = [committing(write("b", 1, key="k")), committing(write("b", 2)), committing(write("b", 3, key="l"))]
    rows = batch(write("c", 1, key="a batch has none"))
    assert {("a", "k"), ("b", "k"), ("b", "l")} == Round(doubted, asked, [rows], []).keys
    assert {("a", "k")} == Round(doubted, [], [rows], []).keys
    assert set() == Round([], asked[1:2], [rows], []).keys


def test_boards_hear_of_what_has_no_ranks_yet() -> None:
    """Of a retry whose first answer never came to be; not of one that has been answered, nor of a known row."""
    commits = [committing(write("b", number)) for number in range(5)]
    joined = Request(TellBoards(fact("new", 0)))
    done = Round([write("a", 1)], commits, [batch(write("c", 1), write("c", 2))], [joined])
    settled(
        done,
        Committed(fact("a", 1), 1, again=True),
        Committed(fact("b", 1), 1),
        Repeated(fact("b", 2), 1, None, None),
        Repeated(fact("b", 3), 1, 5, 4),
        TokenSpent(),
        AWAY,
        Committed(fact("c", 1), 1, again=True),
        Committed(fact("c", 2), 1),
    )
    assert [("a", 1), ("b", 1), ("b", 2), ("c", 2), ("new", 0)] == heard(done)


def test_a_score_is_counted_when_it_is_first_known_to_stand() -> None:
    """One that was in doubt had not been counted, whenever it was done; of the others, what is new."""
    commits = [committing(write("b", number)) for number in range(3)]
    done = Round([write("a", 1), write("a", 2)], commits, [batch(write("c", 1), write("c", 2))], [])
    settled(
        done,
        Committed(fact("a", 1), 1, again=True),
        AWAY,
        Committed(fact("b", 1), 1, again=True),
        Repeated(fact("b", 2), 1, None, None),
        Committed(fact("b", 3), 1),
        Committed(fact("c", 1), 1, again=True),
        Committed(fact("c", 2), 1),
    )
    assert 3 == done.fresh()


def test_single_scores_show_the_tokens_that_they_spent() -> None:
    """Until the token's own end, and five minutes at most; not what was refused or repeated, nor rows of batches."""
    short = write("a", 1)._replace(token_expires_us=60_000_000, action_id="first")
    lasting = write("b", 1)._replace(token_expires_us=NEVER_US, action_id="second")
    singles = [committing(each) for each in (short, lasting, write("c", 1), write("d", 1))]
    ours = Round([write("e", 1)], singles, [batch(write("f", 1))], [])
    counted = Committed(fact("x", 1), 1)
    settled(ours, counted, counted, counted, TokenSpent(), Repeated(fact("x", 1), 1, None, None), counted)
    at_us = counted.fact.reached_us
    assert [
        SpentToken(short.token_hash, UserId("a"), "first", 60_000_000),
        SpentToken(lasting.token_hash, UserId("b"), "second", at_us + 300_000_000),
    ] == ours.spent()
