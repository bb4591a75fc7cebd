"""How often one may ask, as one worker counts it."""

from __future__ import annotations

from actors.limits.windows import Windows
from actors.ports import Quota, Taken

THREE = Quota(3)
BACKING_OFF = Quota(1, longest_s=400, forgiven_s=600)


def allowed(windows: Windows, at_s: float, quota: Quota = THREE, key: str = "a") -> bool:
    """Whether one more was."""
    return windows.take(key, quota, at_s).allowed


def refused_for(windows: Windows, at_s: float, quota: Quota) -> float:
    """Use all, and one more: how long the wait is then."""
    while (taken := windows.take("a", quota, at_s)).allowed:
        pass
    return taken.reset_s


def test_a_window_is_opened_by_the_first_and_tells_what_is_left() -> None:
    """It ends a minute after that; every key has its own."""
    windows = Windows()
    assert Taken(3, 2, 60.0, allowed=True) == windows.take("a", THREE, 1000)
    assert Taken(3, 1, 50.0, allowed=True) == windows.take("a", THREE, 1010)
    assert [True, False] == [allowed(windows, at_s) for at_s in (1020, 1059)]
    assert allowed(windows, 1059, key="b")
    assert Taken(3, 2, 60.0, allowed=True) == windows.take("a", THREE, 1060)


def test_who_goes_beyond_again_and_again_waits_twice_as_long_each_time() -> None:
    """Never longer than the most, and no longer for asking on meanwhile."""
    windows, at_s, waits = Windows(), 0.0, []
    for _ in range(5):
        waits.append(refused_for(windows, at_s, BACKING_OFF))
        assert not allowed(windows, at_s + waits[-1] - 1, BACKING_OFF)
        at_s += waits[-1]
    assert [60, 120, 240, 400, 400] == waits


def test_after_some_quiet_all_is_forgiven() -> None:
    """Ten minutes after the end of the last wait, not of the last request."""
    windows = Windows()
    assert 60 == refused_for(windows, 0, BACKING_OFF)
    assert 120 == refused_for(windows, 60 + 599, BACKING_OFF)
    assert 60 == refused_for(windows, 659 + 120 + 600, BACKING_OFF)


def test_a_limit_that_is_lowered_in_the_middle_holds_at_once() -> None:
    """And counts as exceeded once, not with each request."""
    windows = Windows()
    assert [True] * 3 == [allowed(windows, 0) for _ in range(3)]
    lowered = Quota(1, longest_s=400)
    assert [False] * 3 == [allowed(windows, 1, lowered) for _ in range(3)]
    assert 120 == refused_for(windows, 60, lowered)


def test_what_the_others_have_allowed_counts_here_too() -> None:
    """So that the next ones are refused without asking them."""
    windows = Windows()
    windows.take("a", THREE, 0)
    windows.learn("a", Taken(3, 0, 20.0, allowed=True), 0)
    assert Taken(3, 0, 15.0, allowed=False) == windows.take("a", THREE, 5)
    assert allowed(windows, 20)


def test_memory_is_bounded_and_what_is_forgotten_is_counted() -> None:
    """Who was quiet for longest is forgotten first."""
    windows = Windows(most=2)
    for key in ("a", "b", "a", "c"):
        windows.take(key, Quota(1), 0)
    assert (1, "<Windows of 2 keys>") == (windows.forgotten, repr(windows))
    assert [False, True] == [allowed(windows, 1, Quota(1), key) for key in ("a", "b")]
