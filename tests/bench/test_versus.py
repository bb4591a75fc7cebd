"""Comparisons: ratios, the table, what a broadcaster's clients read, and who is left out."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from tests.bench.dialects import DIALECTS
from tests.bench.feed import Window
from tests.bench.figure import Mark, Row
from tests.bench.measures.versus_fanout import spreads_ms
from tests.bench.peers import programs
from tests.bench.versus import compared, comparison, in_turn, with_ratios
from tests.node import node_alone

BOARD = b'{"event":"leaderboard.diff","data":{"to":7}}'


def test_whoever_was_first_is_last_in_the_next_round() -> None:
    """So what a side leaves behind on the machine is not always met by the same one."""
    assert ["abc", "bca", "cab", "abc"] == ["".join(in_turn("abc", number)) for number in range(4)]


def test_a_ratio_is_of_two_values_of_one_round() -> None:
    """What one has over what another has, for each two sides and each quantity that both have."""
    found = with_ratios({"ours": {"us": 6.0}, "peer": {"us": 12.0, "other": 1.0}}).values
    ratios = {"us: ours / peer": 0.5, "us: peer / ours": 2.0}
    assert {"us: ours": 6.0, "us: peer": 12.0, "other: peer": 1.0} | ratios == found


def test_a_peer_that_is_left_out_has_no_ratio() -> None:
    """Nothing is compared with nothing."""
    assert {"us: ours": 6.0} == with_ratios({"ours": {"us": 6.0}}).values


def test_the_table_has_a_line_a_quantity_and_a_column_a_side() -> None:
    """With the mark beside the ratio that it is for."""
    figures = compared("cost", "us", "us", ("peer",), {"peer": Mark(0.55)})
    values = with_ratios({"ours": {"us": 6.0}, "peer": {"us": 12.0}}).values
    console = Console(width=100, record=True, file=StringIO())
    console.print(comparison("name", [Row(figure, (values[figure.key],)) for figure in figures]))
    text = console.export_text()
    assert ["ours", "peer", "ours / peer"] == [side for side in ("ours", "peer", "ours / peer") if f" {side} " in text]
    assert "<= 0.55: yes" in text


@pytest.mark.parametrize(
    ("dialect", "payload", "event"),
    [
        ("plain", BOARD, ("leaderboard.diff", {"to": 7})),
        ("scoreboard", BOARD, ("leaderboard.diff", {"to": 7})),
        ("socketio", b'42["leaderboard.diff",{"to":7}]', ("leaderboard.diff", {"to": 7})),
        ("socketio", b'0{"sid":"x","upgrades":[]}', None),
        ("socketio", b'40{"sid":"x"}', None),
    ],
)
def test_an_event_is_found_in_each_dialect(dialect: str, payload: bytes, event: tuple[str, object] | None) -> None:
    """And what only keeps the connection is no event."""
    assert event == DIALECTS[dialect].event(payload)


def test_the_spread_is_from_the_first_to_the_last_client() -> None:
    """For each board that came; what is no board does not count."""
    pieces = [{"number": 0, "boards": 1}, {"number": 1, "boards": 0}, {"number": 2, "boards": 1}]
    arrivals = [[(1_000_000, 0), (2_000_000, 1), (9_000_000, 2)], [(4_000_000, 0), (9_500_000, 2)]]
    assert [3.0, 0.5] == spreads_ms(Window(0.0, 0.0, [], {"pieces": pieces, "arrivals": arrivals}))


def test_without_a_program_a_peer_is_left_out_with_a_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The bench goes on without it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(programs.Absent, match="node"):
        node_alone.__wrapped__()
    with pytest.raises(programs.Absent, match="cc"):
        programs.compiled.__wrapped__("floor.c", tmp_path)


def test_the_lock_names_no_place_that_packages_were_taken_from() -> None:
    """Whoever installs them asks the registry of their own machine."""
    lock = (programs.HERE / "package-lock.json").read_text()
    assert ['"integrity"', '"version"'] == [word for word in ('"integrity"', '"resolved"', '"version"') if word in lock]
