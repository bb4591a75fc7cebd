from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.leaderboard.concerns import Hearers
from actors.leaderboard.roster import Roster
from actors.ports import BoardScope, Period, ScoreFact, Span, UserId
from tests.leaderboard.ledgers import AFTER, BEFORE, DAY, DEEDS, DURING, Deed, NaiveLedger

DAILY, DAILY_US = BoardScope(Period.DAILY), BoardScope(Period.DAILY, "US")
ALL_US = BoardScope(Period.ALL_TIME, "US")
SCOPES = [(DAILY, DAY), (DAILY_US, DAY), (ALL_US, None)]


def settled(roster: Roster, ledger: NaiveLedger, scope: BoardScope, span: Span | None) -> None:
    """Read those in doubt again, two at a time."""
    while asked := roster.some_doubts(2):
        roster.settle(asked, ledger.members(scope, span, asked))


def loaded(ledger: NaiveLedger, scope: BoardScope, span: Span | None) -> Roster:
    """As a board begins."""
    roster = Roster(scope, span)
    members = ledger.members(scope, span)
    if members.user_ids:
        roster.load(members)
    for _ in roster.arrange():
        pass
    return roster


def taken(*deeds: Deed) -> tuple[Roster, NaiveLedger]:
    """All these, on an empty board of the day."""
    roster, ledger = Roster(DAILY, DAY), NaiveLedger()
    for deed in deeds:
        roster.take(ledger.add(deed))
    return roster, ledger


# --- one after the other ---


def test_only_what_was_done_in_the_period_counts() -> None:
    """The time of the action decides, whenever it is told; and whoever gained nothing then is not there."""
    deeds = [
        Deed("a", 5, BEFORE, None),
        Deed("a", 1, DURING, None),
        Deed("a", 7, BEFORE, None),
        Deed("b", 9, AFTER, None),
    ]
    roster, ledger = taken(*deeds, Deed("a", 2, DURING, None))
    assert roster.doubts == {"a"}
    settled(roster, ledger, DAILY, DAY)
    assert [(row.user_id, row.score) for row in roster.ranking.rows(0, 9)] == [("a", 3)]
    assert (roster.ranking.rows(0, 9), roster.doubts) == (ledger.rows(DAILY, DAY), set())


def test_who_changes_country_goes_from_one_board_to_the_other_with_all_gains() -> None:
    """The gains of the period come from the store, for nobody here has counted them."""
    ledger = NaiveLedger()
    us, everywhere = Roster(DAILY_US, DAY), Roster(ALL_US, None)
    for deed in [Deed("a", 0, 0, "DE"), Deed("a", 4, DURING, None), Deed("a", 0, 0, "US")]:
        fact = ledger.add(deed)
        us.take(fact)
        everywhere.take(fact)
    settled(us, ledger, DAILY_US, DAY)
    assert [(row.user_id, row.score) for row in us.ranking.rows(0, 9)] == [("a", 4)]
    assert [(row.user_id, row.score) for row in everywhere.ranking.rows(0, 9)] == [("a", 4)]
    assert us.take(gone := ledger.add(Deed("a", 0, 0, "DE")))
    assert everywhere.take(gone)
    assert (len(us.ranking), len(everywhere.ranking)) == (0, 0)


@pytest.mark.parametrize("order", [(0, 1, 1), (1, 0, 0), (1, 0, 1)])
def test_a_gain_that_is_told_late_or_twice_counts_once(order: tuple[int, ...]) -> None:
    """An earlier one that was not seen is read from the store."""
    ledger = NaiveLedger()
    facts = [ledger.add(Deed("a", 2, DURING, None)), ledger.add(Deed("a", 3, DURING, None))]
    roster = Roster(DAILY, DAY)
    for position in order:
        roster.take(facts[position])
    settled(roster, ledger, DAILY, DAY)
    assert [row.score for row in roster.ranking.rows(0, 9)] == [5]


def test_a_version_that_was_left_out_is_noticed_at_the_next() -> None:
    """It may have been a gain or not; the store knows."""
    roster, ledger = taken(Deed("a", 1, DURING, None))
    ledger.add(Deed("a", 4, DURING, None))
    roster.take(ledger.add(Deed("a", 8, DURING, None)))
    assert roster.doubts == {"a"}
    settled(roster, ledger, DAILY, DAY)
    assert (roster.ranking.rows(0, 9), roster.doubts) == (ledger.rows(DAILY, DAY), set())


@pytest.mark.parametrize("hidden", [False, True])
def test_what_nobody_ever_had_is_not_shown(*, hidden: bool) -> None:
    """A gain whose forerunner is missing waits for the store; to be hidden does not."""
    roster, ledger = taken(Deed("a", 1, DURING, None))
    ledger.add(Deed("a", 4, DURING, None))
    assert roster.take(ledger.add(Deed("a", 0 if hidden else 8, DURING, None, hidden or None))) == hidden
    assert [(row.user_id, row.score) for row in roster.ranking.rows(0, 9)] == ([] if hidden else [("a", 1)])
    settled(roster, ledger, DAILY, DAY)
    assert (roster.ranking.rows(0, 9), roster.doubts) == (ledger.rows(DAILY, DAY), set())


@pytest.mark.parametrize("heard", [DURING, BEFORE])
def test_who_comes_anew_with_points_from_before_is_shown_when_all_gains_are_known(heard: int) -> None:
    """Another worker may have committed some of the period, unheard of here; before the first of all there are none."""
    roster, ledger = Roster(DAILY, DAY), NaiveLedger()
    ledger.add(Deed("a", 4, heard, None))
    roster.take(ledger.add(Deed("a", 8, DURING, None)))
    roster.take(ledger.add(Deed("b", 1, DURING, None)))
    assert [(row.user_id, row.score) for row in roster.ranking.rows(0, 9)] == [("b", 1)]
    settled(roster, ledger, DAILY, DAY)
    assert (roster.ranking.rows(0, 9), roster.doubts) == (ledger.rows(DAILY, DAY), set())


def test_a_change_of_profile_shows_at_once_and_changes_no_gain() -> None:
    """Country and avatar stand in the row."""
    roster, ledger = taken(Deed("a", 1, DURING, None), Deed("a", 0, 0, "DE"))
    (row,) = roster.ranking.rows(0, 9)
    assert (row.score, row.country, row.avatar, roster.doubts) == (1, "DE", "DE.png", set())
    assert (row,) == ledger.rows(DAILY, DAY)


# --- random histories ---


@pytest.mark.parametrize(("scope", "span"), SCOPES)
@given(data=st.data())
def test_any_history_ends_at_the_naive_sort_of_the_ledger(
    scope: BoardScope, span: Span | None, data: st.DataObject
) -> None:
    """Loaded at any moment, with facts in any order, some twice, some of them from before the loading.

    Those in doubt are read from the store at any time in between.
    """
    deeds, ledger = data.draw(DEEDS), NaiveLedger()
    before = data.draw(st.integers(0, len(deeds)))
    told = [ledger.add(deed) for deed in deeds[:before]][data.draw(st.integers(0, before)) :]
    roster = loaded(ledger, scope, span)
    told += [ledger.add(deed) for deed in deeds[before:]]
    repeated = data.draw(st.lists(st.sampled_from(told), max_size=10)) if told else []
    for fact in data.draw(st.permutations(told + repeated)):
        for heard in Hearers([fact]).of(scope):
            roster.take(heard)
        if data.draw(st.integers(0, 4)) == 0:
            settled(roster, ledger, scope, span)
    settled(roster, ledger, scope, span)
    assert roster.ranking.rows(0, 100) == ledger.rows(scope, span)


@pytest.mark.parametrize(("scope", "span"), SCOPES)
@given(data=st.data())
def test_facts_that_are_lost_are_made_up_for_by_loading_anew(
    scope: BoardScope, span: Span | None, data: st.DataObject
) -> None:
    """And facts from before that moment may still come afterwards."""
    ledger = NaiveLedger()
    facts = [ledger.add(deed) for deed in data.draw(DEEDS)]
    roster = loaded(ledger, scope, span)
    for fact in data.draw(st.lists(st.sampled_from(facts))) if facts else []:
        for heard in Hearers([fact]).of(scope):
            roster.take(heard)
    settled(roster, ledger, scope, span)
    assert roster.ranking.rows(0, 100) == ledger.rows(scope, span)


@given(DEEDS, st.integers(0, 8), st.integers(0, 3), st.integers(0, 3))
def test_all_ways_to_ask_for_a_rank_agree(deeds: list[Deed], offset: int, above: int, below: int) -> None:
    """Deep pages, the rows around a player and the rank alone are parts of one order."""
    roster, ledger = taken(*deeds)
    order = ledger.rows(DAILY, DAY)
    settled(roster, ledger, DAILY, DAY)
    assert roster.ranking.rows(offset, 3) == order[offset : offset + 3]
    for user in "abcdef":
        own = ledger.rows(DAILY, DAY, eyes=user)
        ranks = [row.rank for row in own if row.user_id == user]
        window = own[max(ranks[0] - 1 - above, 0) : ranks[0] + below] if ranks else ()
        assert roster.ranking.own_window(UserId(user), above, below) == window
    for row in order:
        assert roster.ranking.row(row.user_id) == row
        assert roster.ranking.rank(row.user_id) == row.rank
        around = order[max(row.rank - 1 - above, 0) : row.rank + below]
        assert roster.ranking.around(row.user_id, above, below) == around


@given(DEEDS, st.sampled_from(["US", "DE"]))
def test_a_board_hears_at_once_what_it_hears_one_by_one(deeds: list[Deed], country: str) -> None:
    """In the same order; what cannot concern it is left out."""
    ledger = NaiveLedger()
    facts: list[ScoreFact] = [ledger.add(deed) for deed in deeds]
    scope = BoardScope(Period.DAILY, country)
    one_by_one = tuple(heard for fact in facts for heard in Hearers([fact]).of(scope))
    assert one_by_one == Hearers(facts).of(scope)
    assert all(fact.country == country or not fact.points for fact in one_by_one)
    assert Hearers(facts).of(DAILY) == tuple(facts)
