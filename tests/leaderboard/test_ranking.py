from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from actors.leaderboard.ranking import Ranking
from actors.ports import ScoreFact, UserId
from tests.leaderboard.naive import NaiveBoard, fact, histories


def ranking_of(*facts: ScoreFact) -> Ranking:
    """A ranking that has taken in these facts."""
    ranking = Ranking()
    for each in facts:
        ranking.apply(each)
    return ranking


def order(ranking: Ranking) -> list[str]:
    """The players, best first."""
    return [row.user_id for row in ranking.rows(0, 100)]


def test_the_higher_score_stands_first() -> None:
    """Score descending."""
    assert order(ranking_of(fact("a", 1), fact("b", 3), fact("c", 2))) == ["b", "c", "a"]


def test_of_equal_scores_the_one_that_was_reached_first_stands_first() -> None:
    """Then who reached it first."""
    assert order(ranking_of(fact("a", 1, reached_us=9), fact("b", 1, reached_us=8))) == ["b", "a"]


def test_what_was_reached_at_once_is_ordered_by_user_id() -> None:
    """A total order: the same on every node."""
    assert order(ranking_of(fact("b", 1), fact("a", 1))) == ["a", "b"]


@given(histories())
def test_every_move_and_every_row_is_that_of_a_plain_sort(history: list[ScoreFact]) -> None:
    """Rank before and after of each fact; then page, rank and row of each player agree with each other."""
    ranking, naive = Ranking(), NaiveBoard()
    for each in history:
        move = ranking.apply(each)
        assert (move.previous, move.new) == naive.apply(each)
    assert ranking.rows(0, 100) == naive.rows()
    assert len(ranking) == len(naive.facts)
    for row in naive.rows():
        assert (ranking.rank(row.user_id), ranking.row(row.user_id)) == (row.rank, row)


@given(histories(), st.integers(0, 10), st.integers(0, 10))
def test_a_page_is_a_slice_of_the_whole(history: list[ScoreFact], offset: int, limit: int) -> None:
    """Also behind the end, where it is empty."""
    ranking = ranking_of(*history)
    assert ranking.rows(offset, limit) == ranking.rows(0, 100)[offset : offset + limit]


@given(histories())
def test_facts_may_be_loaded_in_any_order_and_more_than_once(history: list[ScoreFact]) -> None:
    """The newest version of each player wins, whichever way it comes."""
    newest = ranking_of(*history).rows(0, 100)
    loaded = Ranking()
    unique = {(each.user_id, each.version): each for each in history}
    for page in (list(unique.values())[::2], list(unique.values())[1::2]):
        for each in page:
            loaded.load([each])
    assert loaded.rows(0, 100) == newest


def test_a_known_or_older_fact_changes_nothing_and_tells_the_present_rank() -> None:
    """So the log, the local path and a catch-up may all deliver it."""
    ranking = ranking_of(fact("a", 5, 2), fact("b", 3, 1))
    for stale in (fact("a", 5, 2), fact("a", 9, 1)):
        assert not ranking.is_news(stale)
        move = ranking.apply(stale)
        assert (move.previous, move.new) == (1, 1)
    assert [row.score for row in ranking.rows(0, 10)] == [5, 3]


def test_nobody_knows_a_stranger() -> None:
    """Neither rank nor row."""
    ranking = ranking_of(fact("a", 1))
    assert (ranking.rank(UserId("z")), ranking.row(UserId("z"))) == (None, None)


@given(histories(), histories())
def test_the_ranks_at_the_mark_are_remembered_through_all_that_follows(
    before: list[ScoreFact], after: list[ScoreFact]
) -> None:
    """For every player of the board, those who did not move included; None for those who came since."""
    ranking = ranking_of(*before)
    ranks = {row.user_id: row.rank for row in ranking.rows(0, 100)}
    ranking.mark()
    for each in after:
        ranking.apply(each)
    players = [row.user_id for row in ranking.rows(0, 100)]
    assert {user_id: ranks.get(user_id) for user_id in players} == ranking.ranks_at_mark(players)
