from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoreboard.replay.football import league_table
from scoreboard.replay.plan import Plan, slug, team_emails
from scoreboard.replay.tally import Tally
from tests.replay.playing import small_plan


def test_every_point_has_one_number_one_team_and_one_match() -> None:
    """The numbers are those of the journal: without gaps, in order of the matches, as the table counts them."""
    plan = small_plan()
    numbers = [number for fixture in plan.fixtures for _, points in fixture.points for number in points]

    assert numbers == list(range(18))
    assert {line.team: line.points for line in league_table(plan.matches)} == {
        team: plan.point_team.count(team) for team in plan.teams
    }
    for fixture in plan.fixtures:
        for _, points in fixture.points:
            assert {plan.point_match[number] for number in points} == {fixture.number}


def test_the_fingerprint_changes_with_any_result_and_with_nothing_else() -> None:
    """A corrected score makes another replay; reading the same file again does not."""
    plan = small_plan()
    corrected = replace(plan.matches[3], away_goals=0)
    other = Plan(plan.season, plan.division, (*plan.matches[:3], corrected, *plan.matches[4:]))

    assert small_plan().fingerprint == plan.fingerprint
    assert other.fingerprint != plan.fingerprint


@given(st.sets(st.integers(0, 17)), st.randoms())
def test_a_tally_is_the_same_whether_points_were_counted_before_or_now(counted: set[int], random: Random) -> None:
    """Going on shows the state that an unbroken run would show, but for its speed."""
    order = sorted(counted)
    random.shuffle(order)
    resumed, unbroken = Tally(small_plan(), counted), Tally(small_plan(), ())
    for point in order:
        unbroken.count(point, 0.0)

    assert resumed.scores == unbroken.scores
    assert resumed.matches_played == unbroken.matches_played
    assert [resumed.is_played(n) for n in range(7)] == [unbroken.is_played(n) for n in range(7)]
    assert resumed.scoreline(0.0).cycles_per_s == 0


def test_the_speed_is_that_of_the_last_seconds() -> None:
    """Ten points in five seconds are two a second, and a long pause lets it fall to nothing."""
    tally = Tally(small_plan(), ())
    for point in range(10):
        tally.count(point, 100.0 + point / 2)

    assert tally.scoreline(104.9).cycles_per_s == pytest.approx(10 / 4.9)
    assert tally.scoreline(200.0).cycles_per_s == 0
    assert repr(tally) == "<Tally 2015-08-15 10/18 points>"


def test_a_slug_holds_letters_digits_and_hyphens() -> None:
    """Names of files and of e-mail addresses need no quoting."""
    assert slug("Österreichische Bundesliga") == "osterreichische-bundesliga"
    assert slug("1. FC Köln & Co.") == "1-fc-koln-co"


def test_every_team_has_an_address_of_its_own() -> None:
    """Names that fall together, or that have no plain letter at all, still differ."""
    addresses = team_emails(("1 FC Koln", "1. FC Köln", "Спартак", "ЦСКА"))

    assert len(set(addresses.values())) == 4
    assert addresses["1 FC Koln"] == "1-fc-koln@replay.example"
    assert addresses["1. FC Köln"] == "1-fc-koln-2@replay.example"
    assert all(address.isascii() for address in addresses.values())
