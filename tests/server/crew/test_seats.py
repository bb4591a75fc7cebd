"""Who has which seat, when processes that were killed are not gone."""

from __future__ import annotations

import pytest

from scoreboard.server.crew.seats import SPARE_SEATS, free_seat


def test_a_worker_has_the_seat_of_its_number_or_one_that_is_left_over() -> None:
    """No two that live have the same."""
    assert [2, 4, 5, 1] == [free_seat(2, 3, taken) for taken in ([], [2], [2, 4], [2, 3, 4, 5])]


def test_where_no_seat_is_left_nobody_can_be_started() -> None:
    """As any process that the system refuses: it is tried again. The kernel may keep those that hang in it."""
    with pytest.raises(OSError, match="killed and not gone"):
        free_seat(1, 1, range(1, 2 + SPARE_SEATS))
