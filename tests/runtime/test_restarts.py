from __future__ import annotations

import random
from itertools import pairwise

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from actors.runtime import GaveUp, RestartHistory, RestartPolicy
from tests.runtime.probes import Broken, Crash, Probe, Recorder, solo


def history(policy: RestartPolicy) -> RestartHistory:
    """A history of something called "it"."""
    return RestartHistory("it", policy, random.Random(0))


def test_delays_grow_up_to_the_cap() -> None:
    """One for each restart that is allowed."""
    policy = RestartPolicy(first_s=0.5, factor=3, cap_s=10, max_restarts=5)
    assert policy.delays() == [0.5, 1.5, 4.5, 10, 10]


def test_a_policy_for_ever_does_not_overflow() -> None:
    """Thousands of restarts stay at the cap, though the power behind them has left the range of floats."""
    policy = RestartPolicy(max_restarts=5000, within_s=1e9, jitter=0)
    it = history(policy)
    pauses = [it.after(Broken(), now) for now in range(3000)]
    assert pauses == policy.delays()[:3000]
    assert pauses[-1] == 10


def test_without_restarts_the_first_failure_is_the_last() -> None:
    """`max_restarts` of 0 means to give up at once."""
    with pytest.raises(GaveUp, match="it failed 1 times within 60 s"):
        history(RestartPolicy(max_restarts=0)).after(Broken(), 0)


def test_giving_up_shows_all_errors_oldest_first() -> None:
    """Every failure that counted is in the group."""
    it = history(RestartPolicy(max_restarts=2, within_s=60))
    for n in range(2):
        it.after(Broken(str(n)), n)
    with pytest.raises(GaveUp, match="it failed 3 times within 60 s") as caught:
        it.after(Broken("2"), 2)
    assert [str(error) for error in caught.value.exceptions] == ["0", "1", "2"]


def test_failures_outside_of_the_window_are_forgotten() -> None:
    """One failure a minute never ends it, and its pause stays the first."""
    it = history(RestartPolicy(first_s=1, jitter=0, max_restarts=2, within_s=60))
    assert [it.after(Broken(), now) for now in range(0, 6000, 60)] == [1] * 100


def test_failures_leave_the_window_one_by_one() -> None:
    """The count is of the last `within_s` seconds, not of fixed periods."""
    it = history(RestartPolicy(first_s=1, factor=2, jitter=0, max_restarts=2, within_s=10))
    assert [it.after(Broken(), now) for now in (0, 6, 12, 18)] == [1, 2, 2, 2]
    with pytest.raises(GaveUp):
        it.after(Broken(), 19)


@given(seed=st.integers(), jitter=st.floats(0, 1))
def test_jitter_stays_within_its_share(seed: int, jitter: float) -> None:
    """Each pause lies between `delay * (1 - jitter)` and `delay * (1 + jitter)`."""
    policy = RestartPolicy(jitter=jitter)
    it = RestartHistory("it", policy, random.Random(seed))
    for n, delay in enumerate(policy.delays()):
        assert delay * (1 - jitter) <= it.after(Broken(), n) <= delay * (1 + jitter) * (1 + 1e-9)


def test_jitter_differs_from_one_to_the_next() -> None:
    """Otherwise a thousand actors that failed together would start together."""
    policy = RestartPolicy(first_s=1, jitter=0.5)
    rng = random.Random(0)
    assert len({RestartHistory("it", policy, rng).after(Broken(), 0) for _ in range(50)}) == 50


def test_a_part_of_giving_up_is_still_giving_up() -> None:
    """Splitting the group keeps its kind."""
    gave_up = GaveUp("it", [ValueError("a"), TypeError("b")])
    matched, rest = gave_up.split(ValueError)
    assert isinstance(matched, GaveUp)
    assert isinstance(rest, GaveUp)
    assert ExceptionGroup("outer", [gave_up]).split(GaveUp)[1] is None


async def test_an_actor_restarts_at_the_times_of_its_policy(autojump_clock: MockClock) -> None:
    """The pauses on the clock are exactly the policy's list, then it gives up."""
    policy = RestartPolicy(first_s=0.25, factor=2, cap_s=1.5, jitter=0, max_restarts=4, within_s=60)
    times: list[float] = []
    observer = Recorder()

    async def note() -> None:
        times.append(trio.current_time())

    with pytest.raises(ExceptionGroup):
        async with solo(lambda: Probe([], started=note), restarts=policy, observer=observer) as ref:
            for n in range(5):
                ref.tell(Crash(str(n)))
            await trio.sleep_forever()
    assert [later - earlier for earlier, later in pairwise(times)] == policy.delays()
    assert observer.delays == [*policy.delays(), None]
    assert observer.count("activated") == 5
    assert observer.count("ended") == 1


async def test_old_failures_do_not_count_against_an_actor(autojump_clock: MockClock) -> None:
    """It may fail now and then for ever."""
    policy = RestartPolicy(first_s=1, jitter=0, max_restarts=1, within_s=10)
    observer = Recorder()
    async with solo(lambda: Probe([]), restarts=policy, observer=observer) as ref:
        for _ in range(20):
            ref.tell(Crash())
            await trio.sleep(11)
    assert observer.delays == [1] * 20
