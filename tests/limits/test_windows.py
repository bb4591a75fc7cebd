"""How often one may ask, as one worker counts it."""

from __future__ import annotations

import pytest

from actors.limits.windows import Windows
from actors.ports import Quota, Taken, Wanted

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
    windows.learn("a", Taken(3, 0, 20.0, allowed=True), 0, told_at=0)
    assert Taken(3, 0, 15.0, allowed=False) == windows.take("a", THREE, 5)
    assert allowed(windows, 60)


def test_what_was_used_meanwhile_counts_on_top_of_what_was_told() -> None:
    """And is told next time, with its age."""
    windows = Windows()
    windows.take("a", THREE, 0)
    assert [Wanted("a", THREE, 1, ago_s=0.5)] == windows.untold(0.5, most=9)
    windows.take("a", THREE, 0.6)
    windows.learn("a", Taken(3, 1, 50.0, allowed=True), 0.7, told_at=0.5)
    assert not allowed(windows, 1)
    [told] = windows.untold(1, most=9)
    assert (1, True) == (told.count, told.refused)
    assert pytest.approx(0.4) == told.ago_s


def test_what_the_others_say_of_the_last_window_does_not_count_in_this_one() -> None:
    """It was on its way when that one ended."""
    windows = Windows()
    assert [True] * 3 == [allowed(windows, 0) for _ in range(3)]
    windows.untold(59.9, most=9)
    assert allowed(windows, 60)
    windows.learn("a", Taken(3, 0, 0.1, allowed=False), 60.1, told_at=59.9)
    assert [True, True, False] == [allowed(windows, 60.2) for _ in range(3)]


def test_who_exceeded_it_here_waits_no_less_because_the_others_have_forgotten() -> None:
    """But as long as they say, if that is more."""
    windows = Windows()
    assert 60 == refused_for(windows, 0, BACKING_OFF)
    assert 120 == refused_for(windows, 60, BACKING_OFF)
    windows.learn("a", Taken(1, 1, 60.0, allowed=True), 60, told_at=60)
    assert 120 == windows.look("a", BACKING_OFF, 60).reset_s
    windows.learn("a", Taken(1, 0, 240.0, allowed=False), 60, told_at=60)
    assert 240 == windows.look("a", BACKING_OFF, 60).reset_s


def test_what_nobody_needs_to_hear_any_more_is_not_told() -> None:
    """Its window is over."""
    windows = Windows()
    windows.take("a", THREE, 0)
    assert [] == windows.untold(60, most=9)
    assert not windows.news


def test_what_the_others_did_not_hear_is_told_again() -> None:
    """With what came meanwhile, and as old as it is."""
    windows = Windows()
    windows.take("a", THREE, 0)
    lost = windows.untold(1, most=9)
    windows.take("a", THREE, 2)
    windows.tell_again(lost, told_at=1)
    assert [Wanted("a", THREE, 2, ago_s=3.0)] == windows.untold(3, most=9)


def test_who_is_only_refused_is_told_of_too() -> None:
    """Also once more, if nobody heard of it: it is a violation, by which all workers make the player wait longer."""
    windows = Windows()
    windows.take("a", Quota(1), 0)
    windows.untold(1, most=9)
    assert not windows.take("a", Quota(1), 2).allowed
    refused = [Wanted("a", Quota(1), 0, refused=True, ago_s=1.0)]
    assert windows.news
    assert refused == windows.untold(3, most=9)
    windows.tell_again(refused, told_at=3)
    windows.tell_again([], told_at=3)
    assert refused == windows.untold(3, most=9)
    assert [] == windows.untold(3, most=9)


def test_what_nobody_heard_is_told_again_in_its_own_window_only() -> None:
    """It stays told of when that began at the very moment, and is dropped with its window, or with its key."""
    windows = Windows(most=1)
    windows.take("a", THREE, 0)
    lost = windows.untold(0, most=9)
    windows.tell_again(lost, told_at=0)
    assert lost == windows.untold(0, most=9)
    windows.take("a", THREE, 60)
    windows.untold(60, most=9)
    windows.tell_again(lost, told_at=59)
    assert [] == windows.untold(60, most=9)
    windows.take("b", THREE, 61)
    windows.untold(61, most=9)
    windows.tell_again(lost, told_at=61)
    windows.learn("a", Taken(3, 0, 60.0, allowed=False), 61, told_at=61)
    assert (1, []) == (windows.size, windows.untold(61, most=9))


def test_what_is_told_in_another_way_is_not_told_again() -> None:
    """Nor is anything said of a key of which there is nothing to say."""
    windows = Windows()
    windows.take("a", THREE, 0)
    windows.take("a", THREE, 60, told=True)
    assert [] == windows.untold(60, most=9)


def test_it_says_once_that_there_is_something_to_tell() -> None:
    """Not with each request: whoever tells takes all in one go."""
    windows = Windows()
    windows.take("a", THREE, 0)
    assert windows.fresh
    windows.fresh = False
    windows.take("b", THREE, 0)
    assert not windows.fresh
    windows.untold(0, most=9)
    windows.take("b", THREE, 0)
    assert windows.fresh


@pytest.mark.parametrize("asked_on", [True, False])
def test_who_was_refused_elsewhere_has_exceeded_it_here(asked_on: bool) -> None:  # noqa: FBT001
    """Once, however often it is said; so the next time is twice as long, until all is forgiven."""
    for back_s, wait_s in ((60, 120), (659, 120), (660, 60)):
        windows = Windows()
        windows.take("a", BACKING_OFF, 0)
        for _ in range(2):
            windows.learn("a", Taken(1, 0, 60.0, allowed=False), 0, told_at=0)
        if asked_on:
            assert 60 == refused_for(windows, 1, BACKING_OFF) + 1
        assert wait_s == refused_for(windows, back_s, BACKING_OFF)


def test_what_is_refused_here_and_there_is_one_violation() -> None:
    """The others were told of it, and say so."""
    windows = Windows()
    assert 60 == refused_for(windows, 0, BACKING_OFF)
    windows.learn("a", Taken(1, 0, 60.0, allowed=False), 0, told_at=0)
    assert 120 == refused_for(windows, 60, BACKING_OFF)


def test_whoever_keeps_within_the_limit_is_forgiven_in_time() -> None:
    """What others say of windows in which nobody was refused puts that off no longer."""
    windows = Windows()
    assert 60 == refused_for(windows, 0, BACKING_OFF)
    windows.take("a", BACKING_OFF, 630)
    windows.learn("a", Taken(1, 0, 60.0, allowed=True), 630, told_at=630)
    assert 60 == refused_for(windows, 690, BACKING_OFF)


def test_many_at_once_are_allowed_all_or_not_at_all() -> None:
    """What was refused is not used, and is no violation: there may be room for fewer; the next wait is no longer."""
    windows, five = Windows(), Quota(5, longest_s=400)
    assert [(3, True), (1, True), (1, False), (1, True), (0, True), (0, False)] == [
        (taken.remaining, taken.allowed)
        for taken in (windows.take_many("a", five, count, 0) for count in (2, 2, 2, 0, 1, 1))
    ]
    assert windows.fresh
    assert [Wanted("a", five, 5, ago_s=1.0)] == windows.untold(1, most=9)
    assert Taken(5, 0, 59.0, allowed=False) == windows.take_many("a", five, 1, 1)
    assert not windows.news
    assert Taken(5, 0, 60.0, allowed=True) == windows.take_many("a", five, 5, 60)
    assert Taken(5, 0, 60.0, allowed=False) == windows.take_many("a", five, 1, 60)
    lowered = windows.take_many("a", Quota(2), 0, 61)
    assert (0, False) == (lowered.remaining, lowered.allowed)
    windows.take_many("b", five, 0, 0)
    assert ["a"] == [each.key for each in windows.untold(61, most=9)]


def test_looking_uses_nothing() -> None:
    """Nor does it remember anybody."""
    windows = Windows()
    assert Taken(3, 3, 60.0, allowed=True) == windows.look("a", THREE, 0)
    windows.take("a", THREE, 0)
    assert [Taken(3, 2, 50.0, allowed=True)] * 2 == [windows.look("a", THREE, 10) for _ in range(2)]
    assert Taken(3, 3, 60.0, allowed=True) == windows.look("a", THREE, 60)
    assert 1 == windows.size
    windows.take("a", THREE, 20)
    assert Taken(3, 1, 30.0, allowed=True) == windows.look("a", THREE, 30)
    windows.take("a", THREE, 20)
    assert Taken(3, 0, 30.0, allowed=False) == windows.look("a", THREE, 30)


def test_memory_is_bounded_and_what_is_forgotten_is_counted() -> None:
    """Who was quiet for longest is forgotten first, and not told of either."""
    windows = Windows(most=2)
    for key in ("a", "b", "a", "c"):
        windows.take(key, Quota(1), 0)
    assert (1, 2, ["a", "c"]) == (windows.forgotten, windows.size, [each.key for each in windows.untold(0, most=9)])
    assert [False, True] == [allowed(windows, 1, Quota(1), key) for key in ("a", "b")]


def test_a_repr_says_how_much_it_is() -> None:
    """For logs."""
    windows = Windows()
    windows.take("a", THREE, 0)
    assert "<Windows of 1 keys, 1 untold>" == repr(windows)
