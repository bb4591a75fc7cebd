"""When those are cut who keep us waiting, if there are many of them."""

from __future__ import annotations

import pytest

from scoreboard.ends import EndRate, Ends, Waiting

MANY = 120
_RATE = EndRate(per_s=100, burst=4, most_s=5)


def test_who_is_alone_has_as_long_as_the_limit_says() -> None:
    """Not a moment more, and so have a few."""
    ends = Ends(_RATE)
    assert [10.0] * 4 == [ends.within(10, Waiting.HEAD, 0.0) for _ in range(4)]


def test_those_who_come_at_once_do_not_end_at_once() -> None:
    """But one after the other, as fast as the rate says."""
    ends = Ends(_RATE)
    given = [ends.within(10, Waiting.HEAD, 0.0) for _ in range(4 + MANY)]
    assert pytest.approx([10 + number / 100 for number in range(1, MANY + 1)]) == given[4:]


def test_nobody_has_more_than_so_much_longer() -> None:
    """Or who comes all the time would have for ever."""
    ends = Ends(_RATE)
    assert 10 + 5 == max(ends.within(10, Waiting.HEAD, 0.0) for _ in range(10_000))


def test_those_of_one_kind_do_not_give_those_of_another_longer() -> None:
    """Their deadlines fall elsewhere."""
    ends = Ends(_RATE)
    for _ in range(MANY):
        ends.within(10, Waiting.HEAD, 0.0)
    assert 65 == ends.within(65, Waiting.REQUEST, 0.0)
