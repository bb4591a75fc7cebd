from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoreboard.replay.errors import InputError
from scoreboard.replay.football import (
    Football,
    Match,
    Season,
    Standing,
    find_division,
    league_table,
    read_football,
    select_season,
)

REPOSITORY = Path(__file__).parents[2]
EXTRACT = REPOSITORY / "tests" / "data" / "premier_league_2015_16.json"
# Where the README has it put, or out of the repository's way.
WHOLE_FILES = (REPOSITORY / "football.json", REPOSITORY.parent / "shared" / "data" / "football.json")

NAMES = st.sampled_from(["Arsenal", "Real Sociedad", "1. FC Köln", "Borussia M'gladbach", "Brighton & Hove"])
MATCHES = st.builds(
    Match,
    day=st.dates(date(2013, 7, 1), date(2017, 6, 30)),
    division=st.just("Any"),
    home=NAMES,
    away=NAMES,
    home_goals=st.integers(0, 9),
    away_goals=st.integers(0, 9),
).filter(lambda match: match.home != match.away)


def row(**changes: object) -> dict[str, object]:
    """A good row, but for what is changed."""
    good: dict[str, object] = {
        "date": "2015-08-08",
        "division": "English Premier League",
        "home_team": "Arsenal",
        "away_team": "Chelsea",
        "home_score": 2,
        "away_score": 1,
    }
    return {**good, **changes}


def reading(*rows: object) -> Football:
    """What is read from these rows."""
    return read_football(json.dumps(rows).encode())


@pytest.fixture(scope="module")
def whole() -> Football:
    """All of the real file."""
    found = [file for file in WHOLE_FILES if file.exists()]
    if not found:
        pytest.skip("football.json with all seasons is not in the repository; README.md says where it comes from")
    return read_football(found[0].read_bytes())


@pytest.fixture(scope="module")
def extract() -> Football:
    """The one season that lies beside the tests."""
    return read_football(EXTRACT.read_bytes())


def test_leicester_win_the_premier_league_2015_16_with_81_points(extract: Football) -> None:
    """The known truth, and the ends of the table around it."""
    table = league_table(extract.matches)

    assert table[0] == Standing(1, "Leicester City", 81)
    assert table[1] == Standing(2, "Arsenal", 71)
    assert table[2] == Standing(3, "Tottenham Hotspur", 70)
    assert table[19] == Standing(20, "Aston Villa", 17)


def test_the_extract_is_what_the_whole_file_holds_of_that_season(whole: Football, extract: Football) -> None:
    """The small file beside the tests is a true part of the real one."""
    division = find_division("premier league", whole)

    assert select_season(extract, division, Season(2015)) == select_season(whole, division, Season(2015))


def test_four_rows_without_scores_are_reported_and_all_others_are_used(whole: Football) -> None:
    """Rows that cannot be used are named with their reason, and cost nothing else."""
    assert [each.reason for each in whole.unusable] == ["home_score is null"] * 4
    assert whole.unusable[0].what == ("English Premier League 2016-04-30, Aston Villa - Newcastle United")
    assert len(whole.matches) == 6504


@pytest.mark.parametrize(
    ("division", "start", "champion", "points"),
    [
        ("English Premier League", 2013, "Manchester City", 86),
        ("English Premier League", 2014, "Chelsea", 87),
        ("English Premier League", 2016, "Chelsea", 93),
        ("Serie A", 2013, "Juventus", 102),
        ("Primera Division", 2013, "Atletico", 90),
        ("Primera Division", 2014, "Barcelona", 94),
        ("Primera Division", 2015, "Barcelona", 91),
        ("Primera Division", 2016, "R. Madrid", 93),
        ("Deutsche Bundesliga", 2013, "FC Bayern Munchen", 90),
        ("Deutsche Bundesliga", 2015, "FC Bayern Munchen", 88),
    ],
)
def test_known_champions_lead_with_their_known_points(
    whole: Football, division: str, start: int, champion: str, points: int
) -> None:
    """Other seasons that everybody can look up."""
    assert league_table(select_season(whole, division, Season(start)))[0] == Standing(1, champion, points)


@pytest.mark.parametrize("teams", [("Serie A", 380), ("Deutsche Bundesliga", 306), ("Österreichische Bundesliga", 180)])
def test_every_season_has_all_its_matches_once(whole: Football, teams: tuple[str, int]) -> None:
    """No row is lost by the season's border, and rows without scores stand for matches that were entered again."""
    division, count = teams

    assert {len(select_season(whole, division, Season(start))) for start in range(2013, 2017)} == {count}


@pytest.mark.parametrize("name", ["Premier League", "premier league", "  ENGLISH  premier LEAGUE", "Premier"])
def test_a_division_is_found_by_a_natural_name(whole: Football, name: str) -> None:
    """Case and spaces do not matter, and a part is enough."""
    assert find_division(name, whole) == "English Premier League"


def test_accents_need_not_be_typed(whole: Football) -> None:
    """A keyboard without an Ö reaches Austria."""
    assert find_division("osterreichische bundesliga", whole) == "Österreichische Bundesliga"


def test_a_name_that_two_divisions_share_is_refused_with_both(whole: Football) -> None:
    """Nobody gets a league that was not meant."""
    with pytest.raises(InputError, match="Deutsche Bundesliga, Österreichische Bundesliga"):
        find_division("bundesliga", whole)


@pytest.mark.parametrize("name", ["Ligue 1", "", "   "])
def test_an_unknown_division_is_refused_with_what_the_file_has(whole: Football, name: str) -> None:
    """The error is the way out."""
    with pytest.raises(InputError, match=r"it has: .*English Premier League.*Serie A"):
        find_division(name, whole)


def test_an_unknown_season_is_refused_with_what_the_file_has(whole: Football) -> None:
    """The error is the way out."""
    with pytest.raises(InputError, match="2013-14, 2014-15, 2015-16, 2016-17"):
        select_season(whole, "Serie A", Season(1999))


@pytest.mark.parametrize("text", ["2015-16", "2015/16", "2015-2016", " 2015-16 "])
def test_a_season_is_read_in_its_usual_forms(text: str) -> None:
    """Two years that follow each other."""
    assert Season.parse(text) == Season(2015)
    assert str(Season.parse(text)) == "2015-16"


def test_a_season_may_cross_a_century() -> None:
    """1999-00 is a season like any other."""
    assert str(Season.parse("1999-00")) == "1999-00"


@pytest.mark.parametrize("text", ["2015", "2015-17", "15-16", "2015-15", "", "2015-016", "next"])
def test_anything_else_is_no_season(text: str) -> None:
    """No guess is made."""
    with pytest.raises(InputError, match="is not a season"):
        Season.parse(text)


def test_a_season_runs_from_july_to_june() -> None:
    """The border lies between June and July."""
    assert Season.of(date(2016, 6, 30)) == Season(2015)
    assert Season.of(date(2016, 7, 1)) == Season(2016)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (row(home_score=None), "home_score is null"),
        (row(away_score="2"), "away_score is not a number of goals: '2'"),
        (row(away_score=1.5), "away_score is not a number of goals: 1.5"),
        (row(home_score=True), "home_score is not a number of goals: True"),
        (row(home_score=-1), "home_score is not a number of goals: -1"),
        (row(home_score=float("nan")), "home_score is not a number of goals: nan"),
        (row(date="08.08.2015"), "date is not like 2015-08-08: '08.08.2015'"),
        (row(date="20150808"), "date is not like 2015-08-08: '20150808'"),
        (row(date="2015-02-30"), "date is not in the calendar: '2015-02-30'"),
        (row(date=None), "date is null"),
        (row(home_team=" "), "home_team is not a name: ' '"),
        (row(home_team="A\x1b[31m"), "home_team is not a name: 'A\\x1b[31m'"),
        (row(home_team="\ud800"), "home_team is not a name: '\\ud800'"),
        (row(home_team=["Arsenal"]), "home_team is not a name: ['Arsenal']"),
        (row(away_team="Arsenal"), "a team plays against itself"),
        ({"date": "2015-08-08"}, "division is missing"),
        ("Arsenal 2:1 Chelsea", "not an object"),
        (None, "not an object"),
        (row(), "the same match stands in an earlier row"),
    ],
)
def test_a_row_that_cannot_be_used_is_reported_and_the_rest_is_read(bad: object, reason: str) -> None:
    """Bad rows never fail the file, and say what is wrong with them."""
    football = reading(row(), bad, row(date="2015-08-15"))

    assert [(each.number, each.reason) for each in football.unusable] == [(2, reason)]
    assert len(football.matches) == 2
    assert str(football.unusable[0]).isprintable()


@pytest.mark.parametrize(
    "raw", [b"", b"{", b'{"matches": []}', b"[" * 100_000, b"\xff\xfe\x00", b"[1" + b"0" * 5000 + b"]"]
)
def test_a_file_that_is_no_list_in_json_is_refused(raw: bytes) -> None:
    """A wrong file is a sentence, not a traceback."""
    with pytest.raises(InputError, match="must be a list of matches"):
        read_football(raw)


def test_matches_are_played_in_order_of_date_whatever_the_order_of_the_file() -> None:
    """Nothing promises the order of the rows."""
    football = reading(row(date="2016-05-01"), row(date="2015-08-08"), row(date="2015-12-26"))
    matches = select_season(football, "English Premier League", Season(2015))

    assert [str(match.day) for match in matches] == ["2015-08-08", "2015-12-26", "2016-05-01"]


@given(st.lists(MATCHES, max_size=60))
def test_a_table_holds_three_points_for_each_decided_match_and_two_for_each_draw(matches: list[Match]) -> None:
    """No point is made up and none is lost; everybody who played stands in the table, in order of points."""
    table = league_table(matches)
    draws = sum(match.home_goals == match.away_goals for match in matches)

    assert sum(line.points for line in table) == 3 * (len(matches) - draws) + 2 * draws
    assert {line.team for line in table} == {team for match in matches for team in (match.home, match.away)}
    assert [line.points for line in table] == sorted((line.points for line in table), reverse=True)
    assert [line.rank for line in table] == list(range(1, len(table) + 1))


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=20))
def test_no_json_value_in_any_field_fails_the_reader(value: object) -> None:
    """Whatever stands in a row, it is a match or it is reported."""
    rows = [row(**{name: value}) for name in row()]
    football = reading(*rows)

    assert len(football.matches) + len(football.unusable) == len(rows)
