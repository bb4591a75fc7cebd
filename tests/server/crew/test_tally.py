"""What workers of one machine know of each other, in memory that they share."""

from __future__ import annotations

from pathlib import Path

from scoreboard.server.crew.tally import NAME, Tally


def test_who_has_which_seat_is_known_to_all(tmp_path: Path) -> None:
    """One that has taken another one's place has a seat of its own; until then it is the one of its number."""
    parent = Tally.made_in(tmp_path)
    worker = Tally(tmp_path)
    assert [1, 64] == [worker.seat_of(1), worker.seat_of(64)]
    parent.seated(1, 66)
    worker.tell(66, 5)
    assert (66, 2) == (worker.seat_of(1), worker.seat_of(2))
    assert (5, None) == (parent.least_of_others(1), parent.least_of_others(66))
    parent.forget(66)
    assert None is worker.least_of_others(1)


def test_what_a_parent_of_an_older_version_shares_is_understood(tmp_path: Path) -> None:
    """It knows no seats: each worker has that of its number."""
    (tmp_path / NAME).write_bytes(b"\xff" * 8 * 64)
    worker = Tally(tmp_path)
    worker.tell(1, 7)
    worker.seated(1, 3)
    assert (1, 7) == (worker.seat_of(1), worker.least_of_others(2))
