from __future__ import annotations

import io

from rich.console import Console

from scoreboard.replay.accounts import ServerRow
from scoreboard.replay.football import Standing
from scoreboard.replay.progress import BarReporter, PlainReporter, reporter_for
from scoreboard.replay.report import Comparison, compare, render, verdict
from scoreboard.replay.tally import Scoreline

FILE = (Standing(1, "Leicester City", 81), Standing(2, "Arsenal", 71), Standing(3, "Chelsea", 50))
IDS = {"Leicester City": "u1", "Arsenal": "u2", "Chelsea": "u3"}
SERVER = [ServerRow(4, "u1", 81), ServerRow(5, "u2", 71), ServerRow(9, "u3", 50)]


def shown(comparison: Comparison) -> str:
    """The table as text of 80 columns."""
    console = Console(file=io.StringIO(), width=80, force_terminal=False)
    console.print(render(comparison, "Cup 2015-16"))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def scoreline(points: int) -> Scoreline:
    """Some state on the way."""
    return Scoreline("2015-08-08", 3, 380, points, 1033, 412.4, "Leicester City", 3)


def test_equal_tables_agree_and_the_last_line_says_who_leads() -> None:
    """Ranks on the server count only among the teams of the replay."""
    comparison = compare(FILE, SERVER, IDS)

    assert comparison.agrees
    assert [row.server_rank for row in comparison.rows] == [1, 2, 3]
    assert verdict(comparison) == "Leicester City lead with 81 points: server and file agree (3 teams, 202 points)"
    assert "differs" not in shown(comparison)


def test_a_team_with_other_points_is_marked_and_named() -> None:
    """One point too many is found, and said in words."""
    comparison = compare(FILE, [SERVER[0], ServerRow(5, "u2", 72), SERVER[2]], IDS)

    assert not comparison.agrees
    assert verdict(comparison) == ("Server and file differ in 1 of 3 teams: Arsenal (71 in the file, 72 on the server)")
    assert [line.split()[-1] for line in shown(comparison).splitlines() if "Arsenal" in line] == ["differs"]


def test_a_team_that_the_server_lost_is_marked() -> None:
    """Missing is not the same as having no points."""
    comparison = compare(FILE, SERVER[:2], IDS)

    assert not comparison.agrees
    assert "Chelsea (50 in the file, missing on the server)" in verdict(comparison)


def test_many_differences_are_counted_and_three_are_named() -> None:
    """The last line stays a line."""
    file = tuple(Standing(n, f"Team {n}", 9) for n in range(1, 6))
    text = verdict(compare(file, [], {line.team: line.team for line in file}))

    assert text.startswith(
        "Server and file differ in 5 of 5 teams: Team 1 (9 in the file, missing on the server), Team 2"
    )
    assert text.endswith(", ...")


def test_a_server_that_orders_its_table_wrongly_does_not_agree() -> None:
    """The order is part of the truth, even where all points are right."""
    comparison = compare(FILE, [SERVER[0], ServerRow(5, "u3", 50), ServerRow(6, "u2", 71)], IDS)

    assert not comparison.agrees
    assert "order is wrong" in verdict(comparison)


def test_ranks_that_do_not_rise_do_not_agree() -> None:
    """Two rows of one rank are no total order."""
    assert not compare(FILE, [SERVER[0], ServerRow(4, "u2", 71), SERVER[2]], IDS).agrees


def test_teams_with_equal_points_stand_as_the_server_has_them() -> None:
    """The server knows who was there first."""
    file = (Standing(1, "Leicester City", 5), Standing(2, "Arsenal", 5), Standing(3, "Chelsea", 5))
    comparison = compare(file, [ServerRow(1, "u3", 5), ServerRow(2, "u1", 5), ServerRow(3, "u2", 5)], IDS)

    assert [row.team for row in comparison.rows] == ["Chelsea", "Leicester City", "Arsenal"]
    assert comparison.agrees
    assert verdict(comparison).startswith("Chelsea and Leicester City and Arsenal lead with 5 points")


def test_without_a_terminal_the_state_is_a_line_every_other_second_and_at_the_end() -> None:
    """A log file is not flooded, and ends with the last state."""
    console = Console(file=io.StringIO(), width=40)
    with PlainReporter(console) as reporter:
        for tenth in range(40):
            reporter.show(scoreline(tenth), tenth / 10)
        reporter.say("A sentence that is longer than forty columns is not broken [here].")
    assert isinstance(console.file, io.StringIO)

    assert console.file.getvalue().splitlines() == [
        "2015-08-08  3/380 matches  0/1,033 points  412 cycles/s  Leicester City 3",
        "2015-08-08  3/380 matches  20/1,033 points  412 cycles/s  Leicester City 3",
        "A sentence that is longer than forty columns is not broken [here].",
        "2015-08-08  3/380 matches  39/1,033 points  412 cycles/s  Leicester City 3",
    ]


def test_on_a_terminal_there_is_a_bar_that_says_the_same() -> None:
    """Matches, date, points, speed and leader stand beside the bar."""
    console = Console(file=io.StringIO(), width=120, force_terminal=True)
    reporter = reporter_for(console)
    assert isinstance(reporter, BarReporter)
    with reporter:
        reporter.show(scoreline(7), 0.0)
        reporter.say("Hello [bold]you")
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()

    for part in ("2015-08-08", "3/380", "7 points", "412 cycles/s", "Leicester City 3", "Hello [bold]you"):
        assert part in text
