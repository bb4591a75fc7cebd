from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from actors.user.limits import Limit, Window

SECOND_US = 1_000_000


def test_a_window_allows_its_count_and_then_says_how_long_to_wait() -> None:
    """The wait is what is left of the window that the first request opened."""
    window = Window(Limit(2, period_s=60))
    assert [window.take(0), window.take(10 * SECOND_US), window.take(15 * SECOND_US)] == [None, None, 45.0]
    assert repr(window) == "<Window 3 of 2>"


def test_a_new_window_opens_with_the_first_request_after_the_old_one() -> None:
    """At the very moment that was told."""
    window = Window(Limit(1, period_s=60))
    assert [window.take(at) for at in (5_000_000, 64_999_999, 65_000_000, 66_000_000)] == [None, 1e-06, None, 59.0]


def test_without_a_limit_everything_is_allowed() -> None:
    """And nothing is remembered."""
    window = Window(None)
    assert {window.take(0) for _ in range(1000)} == {None}
    assert not window.open_at(0)


def test_a_window_is_open_while_it_counts() -> None:
    """From the first request on, until its period is over."""
    window = Window(Limit(5, period_s=60))
    assert not window.open_at(0)
    window.take(0)
    assert window.open_at(60 * SECOND_US - 1)
    assert not window.open_at(60 * SECOND_US)


@given(count=st.integers(1, 4), gaps=st.lists(st.integers(0, 30), max_size=40))
def test_waiting_as_told_is_always_rewarded(count: int, gaps: list[int]) -> None:
    """Never more than the count in one window, and who comes back after the told time is let in."""
    window, now_us, allowed = Window(Limit(count, period_s=60)), 0, []
    for gap in gaps:
        now_us += gap * SECOND_US
        wait_s = window.take(now_us)
        if wait_s is not None:
            assert 0 < wait_s <= 60
            now_us += round(wait_s * SECOND_US)
            assert window.take(now_us) is None
        allowed.append(now_us)
    for position in range(len(allowed) - 2 * count):  # a fixed window lets through twice its count at its edge
        assert allowed[position + 2 * count] - allowed[position] >= 60 * SECOND_US
