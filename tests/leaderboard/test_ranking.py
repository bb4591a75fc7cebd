from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.leaderboard.ranking import LET_GO_AT_ONCE, Ranking
from actors.ports import MAX_SCORE, ScoreFact, UserId
from tests.fakes.scores import members_of
from tests.leaderboard.naive import NaiveBoard, fact, histories

SMALL = 2  # blocks that split and join all the time


def ranking_of(*facts: ScoreFact) -> Ranking:
    """A ranking that has taken in these facts."""
    ranking = Ranking(SMALL)
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
    ranking, naive = Ranking(SMALL), NaiveBoard()
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


@given(histories(), st.integers(1, 4), st.integers(0, 8))
def test_who_was_loaded_stands_where_a_plain_sort_has_them_and_goes_on_from_there(
    history: list[ScoreFact], page: int, later: int
) -> None:
    """In pages of any size and in any order; what comes afterwards is taken in as ever."""
    naive = NaiveBoard()
    for each in history[later:]:
        naive.apply(each)
    loaded, facts = Ranking(SMALL), list(naive.facts.values())
    for start in range(0, len(facts), page):
        loaded.load(members_of(facts[start : start + page]))
    for _ in loaded.arrange():
        pass
    assert naive.rows() == loaded.rows(0, 100)
    for each in history[:later]:
        move = loaded.apply(each)
        assert naive.apply(each) == (move.previous, move.new)
    assert naive.rows() == loaded.rows(0, 100)


def test_a_player_who_is_loaded_twice_is_no_board_at_all() -> None:
    """Which of the two would be right? Better no ranks than wrong ones."""
    ranking = Ranking(SMALL)
    ranking.load(members_of([fact("a", 1), fact("b", 2)]))
    with pytest.raises(ValueError, match="twice"):
        ranking.load(members_of([fact("a", 3)]))


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
    """For every player of the board, those who did not move included; None for those who came since. Also scores."""
    ranking = ranking_of(*before)
    ranks = {row.user_id: row.rank for row in ranking.rows(0, 100)}
    scores = {row.user_id: row.score for row in ranking.rows(0, 100)}
    ranking.mark()
    for each in after:
        ranking.apply(each)
    players = [row.user_id for row in ranking.rows(0, 100)]
    assert {user_id: ranks.get(user_id) for user_id in players} == ranking.ranks_at_mark(players)
    assert {user_id: scores.get(user_id, 0) for user_id in players} == ranking.scores_at_mark(players)


@given(histories(), st.sampled_from("abcdefgh"), st.integers(0, 5), st.integers(0, 5))
def test_around_a_player_are_the_rows_next_to_the_players_own(
    history: list[ScoreFact], name: str, above: int, below: int
) -> None:
    """Fewer at both ends of the board; none for a stranger."""
    ranking = ranking_of(*history)
    everybody = ranking.rows(0, 100)
    at = next((index for index, row in enumerate(everybody) if row.user_id == name), None)
    expected = () if at is None else everybody[max(at - above, 0) : at + below + 1]
    assert expected == ranking.around(UserId(name), above, below)


@given(st.lists(st.one_of(histories(steps=6), st.sampled_from("abcdefgh")), max_size=12), st.integers(0, 5))
def test_the_head_is_that_of_a_plain_slice_after_every_change(steps: list[list[ScoreFact] | str], size: int) -> None:
    """Whatever was kept of the last one: scores that fall, new names, players who go, and others in their slots."""
    ranking = Ranking(SMALL)
    for step in steps:
        if isinstance(step, str):
            ranking.remove(UserId(step))
            assert ranking.rows(0, size) == ranking.head(size)
            continue
        for each in step:
            ranking.apply(each)
            assert ranking.rows(0, size) == ranking.head(size)


def test_the_head_is_the_same_tuple_until_something_of_it_changes() -> None:
    """So that whoever made something of it sees at a glance that it still holds; rows that stayed are the same too."""
    ranking = ranking_of(fact("a", 9), fact("b", 6), fact("c", 1))
    first = ranking.head(2)
    ranking.apply(fact("c", 5))
    assert first is ranking.head(2)
    ranking.apply(fact("b", 7))
    assert first[0] is ranking.head(2)[0]
    assert 7 == ranking.head(2)[1].score


def test_who_takes_the_slot_and_the_score_of_one_who_was_removed_is_shown_in_the_head() -> None:
    """Their places are one and the same number."""
    ranking = ranking_of(fact("a", 9))
    assert ["a"] == [row.user_id for row in ranking.head(5)]
    ranking.remove(UserId("a"))
    ranking.apply(fact("b", 9))
    assert ["b"] == [row.user_id for row in ranking.head(5)]


@given(st.lists(st.one_of(histories(steps=6), st.sampled_from("abcdefgh")), max_size=12))
def test_who_is_removed_leaves_no_trace(steps: list[list[ScoreFact] | str]) -> None:
    """Rank and rows are those of a plain sort of the others, also when slots are taken by others afterwards."""
    ranking, naive = Ranking(SMALL), NaiveBoard()
    for step in steps:
        if isinstance(step, str):
            assert naive.ranks().get(UserId(step)) == ranking.remove(UserId(step))
            naive.facts.pop(UserId(step), None)
        else:
            for each in step:
                move = ranking.apply(each)
                assert naive.apply(each) == (move.previous, move.new)
    assert naive.rows() == ranking.rows(0, 100)
    assert len(naive.facts) == len(ranking)


@given(histories(), st.sets(st.sampled_from("abcdefgh")), histories())
def test_the_mark_remembers_also_who_was_removed_since(
    before: list[ScoreFact], gone: set[str], after: list[ScoreFact]
) -> None:
    """They stood ahead of others then; one who came back has the rank of then."""
    ranking = ranking_of(*before)
    ranks = {row.user_id: row.rank for row in ranking.rows(0, 100)}
    ranking.mark()
    for name in gone:
        ranking.remove(UserId(name))
    for each in after:
        ranking.apply(each)
    players = [row.user_id for row in ranking.rows(0, 100)]
    assert {user_id: ranks.get(user_id) for user_id in players} == ranking.ranks_at_mark(players)


def test_a_new_name_is_shown_from_its_fact_on() -> None:
    """Long, short and not of ASCII; the others keep theirs."""
    ranking = ranking_of(fact("a", 2), fact("b", 1))
    for version, name in enumerate(("Zoë", "x" * 300, "", "\ud800"), 10):
        ranking.apply(ScoreFact(UserId("a"), name, 2, version, 0))
        assert [name, "B"] == [row.username for row in ranking.rows(0, 2)]


def test_scores_and_times_are_exact_up_to_their_bounds() -> None:
    """The greatest score and the latest time fit; what does not fit is refused before anything has changed."""
    latest = 2**63 - 1
    ranking = ranking_of(fact("a", MAX_SCORE, 1, latest), fact("b", 0, 1, 0), fact("c", MAX_SCORE, 1, latest - 1))
    assert ["c", "a", "b"] == order(ranking)
    assert [(MAX_SCORE, latest - 1), (MAX_SCORE, latest), (0, 0)] == [
        (row.score, row.reached_us) for row in ranking.rows(0, 3)
    ]
    for stranger in (fact("d", 1, 1, -1), fact("d", 1, 1, 2**63), fact("a", 1, 2, -1), fact("a", 1, 2**36)):
        with pytest.raises(ValueError, match="no place for"):
            ranking.apply(stranger)
    assert ["c", "a", "b"] == order(ranking)


def test_country_and_avatar_stand_in_the_row_and_cost_nothing_where_there_are_none() -> None:
    """One text with the name; whether loaded or told."""
    told = [fact("a", 3)._replace(country="US"), fact("b", 2)._replace(avatar="https://x"), fact("c", 1)]
    loaded = Ranking(SMALL)
    loaded.load(members_of(told))
    for _ in loaded.arrange():
        pass
    for ranking in (loaded, ranking_of(*told)):
        rows = ranking.rows(0, 9)
        assert [(row.username, row.country, row.avatar) for row in rows] == [
            ("A", "US", None),
            ("B", None, "https://x"),
            ("C", None, None),
        ]
        assert ranking.row(UserId("b")) == rows[1]


def test_a_ranking_is_let_go_in_steps() -> None:
    """Nobody waits for a million at once; at the end nothing is left."""
    ranking = ranking_of(*(fact(f"{n:05}", n) for n in range(2 * LET_GO_AT_ONCE + 1)))
    sizes = [len(ranking) for _ in ranking.dissolve()]
    assert sizes == [LET_GO_AT_ONCE + 1, 1, 0]
    assert (ranking._ids, ranking._order._blocks) == ([], [])
