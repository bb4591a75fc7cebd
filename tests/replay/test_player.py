from __future__ import annotations

import itertools
import json
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoreboard.replay.errors import AccountTaken, ReplayError, ServerGone, ServerRefused
from scoreboard.replay.football import Season, league_table, read_football
from scoreboard.replay.plan import Plan
from tests.replay.fake_scoreboard import FakeScoreboard, Fault, User
from tests.replay.playing import Notebook, play, small_plan
from tests.replay.test_football import EXTRACT

DAY_S = 86_400.0


def expected_points(plan: Plan) -> dict[str, int]:
    """The truth by the file."""
    return {line.team: line.points for line in league_table(plan.matches)}


def points_on(server: FakeScoreboard) -> dict[str, int]:
    """The truth by the server."""
    return {user.name: user.score for user in server.users.values()}


def journal_lines(path: Path, entry: str) -> list[dict[str, object]]:
    """The entries of one kind in a journal."""
    return [row for row in map(json.loads, path.read_text().splitlines()) if row["entry"] == entry]


def only(caught: pytest.ExceptionInfo[BaseException]) -> BaseException:
    """The first error of a group."""
    error = caught.value
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def test_a_season_played_ends_with_the_table_of_the_file(tmp_path: Path) -> None:
    """Premier League 2015-16: every point arrives once, and Leicester City lead with 81."""
    matches = read_football(EXTRACT.read_bytes()).matches
    plan = Plan(Season(2015), "English Premier League", matches)
    server = FakeScoreboard()
    comparison = play(server, tmp_path / "journal", plan=plan, concurrency=16)

    assert comparison is not None
    assert comparison.agrees
    assert points_on(server) == expected_points(plan)
    assert points_on(server)["Leicester City"] == 81
    assert server.requests["/api/scores/increment"] == 1033


def test_dates_are_played_strictly_in_order(tmp_path: Path) -> None:
    """No point of a later date is sent before all points of earlier dates are sure."""
    plan = small_plan()
    play(FakeScoreboard(), tmp_path / "journal", plan=plan)
    rows = [json.loads(line) for line in (tmp_path / "journal").read_text().splitlines()]
    days = [plan.matches[plan.point_match[row["point"]]].day for row in rows if row["entry"] in {"sent", "counted"}]

    assert days == sorted(days)


def test_a_team_has_one_point_on_its_way_at_a_time(tmp_path: Path) -> None:
    """The points of one team follow one another, also when it plays twice on a date."""
    plan = small_plan()
    play(FakeScoreboard(), tmp_path / "journal", plan=plan, concurrency=16)
    rows = [json.loads(line) for line in (tmp_path / "journal").read_text().splitlines()]
    steps = [(plan.point_team[row["point"]], row["entry"]) for row in rows if row["entry"] in {"sent", "counted"}]
    for team in plan.teams:
        mine = [entry for name, entry in steps if name == team]
        assert mine == ["sent", "counted"] * expected_points(plan)[team]


def test_matches_start_at_the_chosen_speed(tmp_path: Path) -> None:
    """Seven matches at half a match a second need twelve seconds between the first and the last."""
    notebook = Notebook()
    server = FakeScoreboard()
    play(server, tmp_path / "journal", notebook=notebook, matches_per_s=0.5)

    assert server.clock_s == pytest.approx(12.0, abs=0.5)


def test_a_finished_replay_played_again_only_compares(tmp_path: Path) -> None:
    """The journal of a whole replay leaves nothing to do."""
    server = FakeScoreboard()
    play(server, tmp_path / "journal")
    before = server.requests.copy()
    again = play(server, tmp_path / "journal")

    assert again is not None
    assert again.agrees
    assert server.requests["/api/scores/increment"] == before["/api/scores/increment"]
    assert server.requests["/api/actions/token"] == before["/api/actions/token"]


FAULTS = st.sampled_from([Fault.NONE] * 6 + list(Fault))


@st.composite
def lives(draw: st.DrawFn) -> list[tuple[list[Fault], float, int]]:
    """Lives of the replay's process: what happens to its requests, how long it is away then, bytes torn off the end."""
    life = st.tuples(
        st.lists(FAULTS, max_size=60),
        st.sampled_from([0.0, 30.0, 61.0, 10 * DAY_S]),
        st.sampled_from([0, 1, 5, 40]),
    )
    return draw(st.lists(life, max_size=5))


@settings(max_examples=150, deadline=None)
@given(lives())
def test_whatever_dies_and_whenever_no_point_is_lost_or_doubled(script: list[tuple[list[Fault], float, int]]) -> None:
    """Connections, answers, sessions, tokens and the replay itself may end at any request, and the journal in a line.

    However long the replay is away, also longer than the server keeps idempotency keys, it goes on and ends with the
    table of the file.
    """
    plan, server = small_plan(), FakeScoreboard()
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "journal"
        for faults, away_s, torn in script:
            server.faults = iter(faults)
            play(server, path)
            assert all(count <= expected_points(plan)[team] for team, count in points_on(server).items())
            server.offset_s += server.clock_s + away_s
            if away_s > DAY_S:
                server.forget_keys()
            tear(path, torn, server)
        server.faults = iter(())
        comparison = play(server, path)

    assert comparison is not None
    assert comparison.agrees
    assert points_on(server) == expected_points(plan)
    assert Counter(name for name, _ in server.log) == +Counter(expected_points(plan))


def tear(path: Path, count: int, server: FakeScoreboard) -> None:
    """Cut bytes off the last line, as a death within a write does: then what the line announces was not sent yet."""
    lines = path.read_bytes().splitlines(keepends=True)
    if not count or not lines:
        return
    last = json.loads(lines[-1])
    if last["entry"] == "account" or (last["entry"] == "sent" and last["key"] in server.keys_seen):
        return
    lines[-1] = lines[-1][: -min(count, len(lines[-1]))]
    path.write_bytes(b"".join(lines))


@pytest.mark.parametrize("fault", [Fault.KILLED, Fault.KILLED_AFTER])
def test_a_replay_killed_at_any_one_request_goes_on_and_counts_each_point_once(tmp_path: Path, fault: Fault) -> None:
    """Every place where the process can die, one after another."""
    plan = small_plan()
    whole = FakeScoreboard()
    play(whole, tmp_path / "whole")
    for dies_at in range(whole.requests.total()):
        server = FakeScoreboard(faults=itertools.chain([Fault.NONE] * dies_at, [fault]))
        path = tmp_path / f"journal-{dies_at}"
        assert play(server, path) is None
        comparison = play(server, path)
        assert comparison is not None
        assert comparison.agrees
        assert points_on(server) == expected_points(plan)


def test_a_point_in_doubt_is_presented_again_with_its_own_key_and_token(tmp_path: Path) -> None:
    """A lost answer is asked for again, not replaced by a new increment."""
    server = FakeScoreboard(faults=iter([Fault.NONE] * 12 + [Fault.KILLED_AFTER]))
    path = tmp_path / "journal"
    play(server, path)
    in_doubt = {row["point"]: row["key"] for row in journal_lines(path, "sent")}
    for row in journal_lines(path, "counted"):
        in_doubt.pop(row["point"])
    play(server, path)

    assert in_doubt
    for point, key in in_doubt.items():
        assert [row["key"] for row in journal_lines(path, "sent") if row["point"] == point] == [key]


def test_a_token_that_is_spent_already_was_spent_by_ourselves(tmp_path: Path) -> None:
    """A server that no longer knows the key but still the token says so, and the point counts once."""
    server = FakeScoreboard(faults=iter([Fault.NONE] * 12 + [Fault.KILLED_AFTER]))
    play(server, tmp_path / "journal")
    server.answers.clear()
    comparison = play(server, tmp_path / "journal")

    assert comparison is not None
    assert comparison.agrees
    assert points_on(server) == expected_points(small_plan())


def test_the_wait_for_the_first_point_is_explained(tmp_path: Path) -> None:
    """Twenty passwords cost a server several seconds, in which nothing else would be seen."""
    notebook = Notebook()
    play(FakeScoreboard(), tmp_path / "journal", notebook=notebook)
    assert f"Signing in {len(small_plan().teams)} teams; each password costs the server a moment." == notebook.said[0]


def test_a_server_that_comes_back_in_time_is_waited_for(tmp_path: Path) -> None:
    """A restart in the middle is told once, survived, and told to be over."""
    server = FakeScoreboard(faults=iter([Fault.NONE] * 20 + [Fault.LOST_REQUEST] * 40))
    notebook = Notebook()
    comparison = play(server, tmp_path / "journal", notebook=notebook)

    assert comparison is not None
    assert comparison.agrees
    assert [text for text in notebook.said if "does not answer" in text] == [
        "The server does not answer (ConnectError: connection refused): waiting up to 60 s for it to come back."
    ]
    assert sum("The server is back after" in text for text in notebook.said) == 1


def test_a_server_that_stays_away_ends_the_replay_in_time_and_it_can_go_on(tmp_path: Path) -> None:
    """The wait is bounded, and nothing is lost by giving up."""
    server = FakeScoreboard(faults=itertools.chain([Fault.NONE] * 20, itertools.repeat(Fault.LOST_REQUEST)))
    with pytest.raises(BaseExceptionGroup) as caught:
        play(server, tmp_path / "journal", patience_s=10.0)
    assert isinstance(only(caught), ServerGone)
    assert 10.0 < server.clock_s < 15.0

    server.faults = iter(())
    comparison = play(server, tmp_path / "journal")
    assert comparison is not None
    assert comparison.agrees


def test_limits_are_obeyed_with_one_hint(tmp_path: Path) -> None:
    """A 429 slows the replay down as long as the server asks, and says how a server for a replay is started."""
    server = FakeScoreboard(faults=iter([Fault.NONE] * 10 + [Fault.LIMITED] * 5))
    notebook = Notebook()
    comparison = play(server, tmp_path / "journal", notebook=notebook)

    assert comparison is not None
    assert comparison.agrees
    hint = (
        "The server limits how fast one may score and asks for 2 s: obeying. "
        "A server for a replay is started with --limits off."
    )
    assert [text for text in notebook.said if "--limits off" in text] == [hint]
    assert server.clock_s >= 2.0


def test_a_name_that_somebody_else_has_is_a_clear_error(tmp_path: Path) -> None:
    """No account of others is touched."""
    server = FakeScoreboard(users={"arsenal": User("user_x", "Arsenal", "their password", score=5)})
    with pytest.raises(BaseExceptionGroup) as caught:
        play(server, tmp_path / "journal")

    assert isinstance(only(caught), AccountTaken)
    assert "another password" in str(only(caught))
    assert "fresh data directory" in str(only(caught))
    assert points_on(server)["Arsenal"] == 5


def test_points_that_the_journal_does_not_know_of_are_a_clear_error(tmp_path: Path) -> None:
    """An account that was played with elsewhere would end in a wrong table: it is said at the start."""
    server = FakeScoreboard()
    play(server, tmp_path / "journal")
    server.users["arsenal"].score += 1
    with pytest.raises(BaseExceptionGroup) as caught:
        play(server, tmp_path / "journal")

    assert "'Arsenal' has 8 points on the server, and the journal knows of 7" in str(only(caught))


def test_a_journal_meets_a_server_with_other_data_and_says_so(tmp_path: Path) -> None:
    """A fresh data directory behind the same address is found out before anything is played."""
    play(FakeScoreboard(), tmp_path / "journal")
    fresh = FakeScoreboard()
    with pytest.raises(BaseExceptionGroup) as caught:
        play(fresh, tmp_path / "journal")

    assert "runs on other data than before" in str(only(caught))
    assert points_on(fresh) == {}


def test_points_added_behind_our_back_make_the_tables_differ(tmp_path: Path) -> None:
    """The comparison believes the server's table, not our own counting."""
    server = FakeScoreboard()
    server.after_increments[18] = lambda: server.add_point("Chelsea")
    comparison = play(server, tmp_path / "journal")

    assert comparison is not None
    assert not comparison.agrees
    assert [row.team for row in comparison.rows if not row.agrees] == ["Chelsea"]


def test_teams_are_found_in_a_long_table_by_their_ids(tmp_path: Path) -> None:
    """Three hundred strangers above and below do not matter, nor does somebody of a similar name."""
    strangers = {f"stranger {n}": User(f"s{n}", f"Stranger {n}", "x", score=n % 9) for n in range(300)}
    server = FakeScoreboard(users=strangers)
    comparison = play(server, tmp_path / "journal")

    assert comparison is not None
    assert comparison.agrees
    assert [row.server_rank for row in comparison.rows] == [1, 2, 3, 4]


def test_tokens_that_are_never_good_end_the_replay(tmp_path: Path) -> None:
    """A server that refuses every fresh token is not asked for ever."""
    server = FakeScoreboard(token_lives_s=-1.0)
    with pytest.raises(BaseExceptionGroup) as caught:
        play(server, tmp_path / "journal")

    assert isinstance(only(caught), ServerRefused)
    assert "every fresh action token" in str(only(caught))


def test_a_refusal_ends_the_replay_with_the_servers_own_words(tmp_path: Path) -> None:
    """What the server says reaches the person."""
    server = FakeScoreboard(banned={"Arsenal"})
    with pytest.raises(BaseExceptionGroup) as caught:
        play(server, tmp_path / "journal")

    assert isinstance(only(caught), ReplayError)
    assert "Your account is banned" in str(only(caught))
    assert "USER_BANNED" in str(only(caught))
