from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.runtime import Child, GaveUp, RestartPolicy, all_for_one, one_for_one
from tests.runtime.probes import EXACT, Broken, Note, Probe, Recorder, solo


class Troupe:
    """Children that note when they begin and how they end, and fail when they are told to."""

    def __init__(self, *names: str) -> None:
        self.diary: list[tuple[float, str]] = []
        self.fail = {name: trio.Event() for name in names}
        self.children = [Child(name, self._runner(name)) for name in names]

    def _runner(self, name: str) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            self._note(f"{name} begins")
            try:
                await self.fail[name].wait()
            except trio.Cancelled:
                self._note(f"{name} cancelled")
                raise
            self.fail[name] = trio.Event()
            self._note(f"{name} fails")
            raise Broken(name)

        return run

    def _note(self, text: str) -> None:
        self.diary.append((trio.current_time(), text))

    async def break_all(self, *names: str) -> None:
        for name in names:
            self.fail[name].set()
        await wait_all_tasks_blocked()

    def take(self) -> list[tuple[float, str]]:
        """What happened since the last time, sorted, since tasks of one moment run in any order."""
        taken, self.diary = sorted(self.diary), []
        return taken


async def returns() -> None:
    """A child that has something to do and does it."""
    await trio.sleep(1)


async def fails() -> None:
    """A child that never works."""
    raise Broken("always")


async def test_one_for_one_restarts_only_the_one_that_failed(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """Its siblings notice nothing."""
    troupe, observer = Troupe("a", "b"), Recorder()

    async def run() -> None:
        await one_for_one(troupe.children, policy=EXACT, observer=observer, rng=random.Random(0))

    nursery.start_soon(run)
    await wait_all_tasks_blocked()
    assert troupe.take() == [(0, "a begins"), (0, "b begins")]
    await troupe.break_all("a")
    await trio.sleep(5)
    assert troupe.take() == [(0, "a fails"), (1, "a begins")]
    assert [(name, str(error), delay) for _, name, error, delay in observer.of("crashed")] == [("a", "a", 1)]
    nursery.cancel_scope.cancel()


async def test_one_for_one_counts_each_child_for_itself(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """Failures of one do not lengthen the pauses of another."""
    troupe, observer = Troupe("a", "b"), Recorder()

    async def run() -> None:
        await one_for_one(troupe.children, policy=EXACT, observer=observer, rng=random.Random(0))

    nursery.start_soon(run)
    await wait_all_tasks_blocked()
    for name in ("a", "b", "a"):
        await troupe.break_all(name)
        await trio.sleep(2)
    assert observer.delays == [1, 1, 2]
    nursery.cancel_scope.cancel()


async def test_one_for_one_escalates(autojump_clock: MockClock) -> None:
    """One that fails too often takes the others with it, and GaveUp says why with every error."""
    troupe, observer = Troupe("b"), Recorder()
    with pytest.raises(ExceptionGroup) as caught:
        await one_for_one([Child("a", fails), *troupe.children], policy=EXACT, observer=observer, rng=random.Random(0))
    (gave_up,) = caught.value.exceptions
    assert isinstance(gave_up, GaveUp)
    assert str(gave_up).startswith("a failed 6 times within 60 s")
    assert len(gave_up.exceptions) == 6
    assert troupe.take() == [(0, "b begins"), (23, "b cancelled")]
    assert observer.delays == [*EXACT.delays(), None]


@pytest.mark.parametrize("shape", ["one for one", "all for one"])
async def test_supervision_ends_when_all_have_returned(autojump_clock: MockClock, shape: str) -> None:
    """Returning is no failure and is not repeated."""
    children = [Child("a", returns), Child("b", returns)]
    observer = Recorder()
    if shape == "one for one":
        await one_for_one(children, policy=EXACT, observer=observer, rng=random.Random(0))
    else:
        await all_for_one("all", children, policy=EXACT, observer=observer, rng=random.Random(0))
    assert trio.current_time() == 1
    assert observer.seen == []


async def test_all_for_one_restarts_everybody(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """The others are cancelled at once, and all begin anew together after the pause."""
    troupe, observer = Troupe("a", "b", "c"), Recorder()

    async def run() -> None:
        await all_for_one("all", troupe.children, policy=EXACT, observer=observer, rng=random.Random(0))

    nursery.start_soon(run)
    await wait_all_tasks_blocked()
    troupe.take()
    await troupe.break_all("b")
    await trio.sleep(5)
    assert troupe.take() == [
        (0, "a cancelled"),
        (0, "b fails"),
        (0, "c cancelled"),
        (1, "a begins"),
        (1, "b begins"),
        (1, "c begins"),
    ]
    assert [(name, delay) for _, name, _, delay in observer.of("crashed")] == [("all", 1)]
    nursery.cancel_scope.cancel()


async def test_all_for_one_escalates(autojump_clock: MockClock) -> None:
    """After the allowed restarts it gives up, with every failure."""
    observer = Recorder()
    with pytest.raises(GaveUp) as caught:
        await all_for_one("all", [Child("a", fails)], policy=EXACT, observer=observer, rng=random.Random(0))
    assert len(caught.value.exceptions) == 6
    assert observer.delays == [*EXACT.delays(), None]


async def test_children_that_fail_together_are_one_failure_with_all_errors(autojump_clock: MockClock) -> None:
    """The pause is that of one failure, and none of the errors is lost."""
    policy = RestartPolicy(max_restarts=1, jitter=0)
    observer = Recorder()
    with pytest.raises(GaveUp) as caught:
        children = [Child("a", fails), Child("b", fails)]
        await all_for_one("all", children, policy=policy, observer=observer, rng=random.Random(0))
    assert [len(error.exceptions) for error in caught.value.exceptions if isinstance(error, ExceptionGroup)] == [2, 2]
    assert observer.delays == [0.1, None]


async def test_two_crashes_and_a_cancel_at_once_lose_no_error(autojump_clock: MockClock) -> None:
    """Both leave the supervisor although it was cancelled in the same moment, and the observer has seen them."""
    observer = Recorder()

    async def fails_when_cancelled() -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise Broken("at the end")

    children = [Child("a", fails_when_cancelled), Child("b", fails_when_cancelled), Child("c", trio.sleep_forever)]
    with pytest.raises(ExceptionGroup) as caught:
        with trio.move_on_after(1):
            await all_for_one("all", children, policy=EXACT, observer=observer, rng=random.Random(0))
    errors: list[BaseException] = list(caught.value.exceptions)
    while any(isinstance(error, ExceptionGroup) for error in errors):
        errors = [leaf for error in errors for leaf in getattr(error, "exceptions", [error])]
    assert [str(error) for error in errors] == ["at the end"] * 2
    assert observer.delays == [None]


@pytest.mark.parametrize("shape", ["one for one", "all for one"])
async def test_a_cancelled_supervisor_ends(autojump_clock: MockClock, shape: str) -> None:
    """While its children run, and while it pauses."""
    for at, child in ((0.5, Child("a", trio.sleep_forever)), (0.5, Child("a", fails))):
        with trio.move_on_after(at) as scope:
            if shape == "one for one":
                await one_for_one([child], policy=EXACT, observer=Recorder(), rng=random.Random(0))
            else:
                await all_for_one("all", [child], policy=EXACT, observer=Recorder(), rng=random.Random(0))
        assert scope.cancelled_caught


async def test_supervisors_nest(autojump_clock: MockClock) -> None:
    """What an inner one gives up is one failure of the outer one."""
    inner_policy = RestartPolicy(first_s=1, jitter=0, max_restarts=1)
    observer = Recorder()

    async def inner() -> None:
        await all_for_one("inner", [Child("a", fails)], policy=inner_policy, observer=observer, rng=random.Random(0))

    with pytest.raises(ExceptionGroup) as caught:
        await one_for_one([Child("outer", inner)], policy=inner_policy, observer=observer, rng=random.Random(0))
    assert [(name, delay) for _, name, _, delay in observer.of("crashed")] == [
        ("inner", 1),
        ("inner", None),
        ("outer", 1),
        ("inner", 1),
        ("inner", None),
        ("outer", None),
    ]
    assert caught.group_contains(GaveUp)


async def test_an_actor_that_gave_up_is_restarted_by_its_supervisor(autojump_clock: MockClock) -> None:
    """An actor and what cannot do without it form one child; after escalation both begin anew."""
    lives = 0

    async def fail_three_times() -> None:
        nonlocal lives
        lives += 1
        if lives <= 3:
            raise Broken(str(lives))

    async def house() -> None:
        policy = RestartPolicy(first_s=1, jitter=0, max_restarts=1)
        async with solo(lambda: Probe([], started=fail_three_times), restarts=policy) as ref:
            await trio.sleep(5)
            assert await ref.ask(Note("a"), within=1) == "a"

    observer = Recorder()
    await one_for_one([Child("house", house)], policy=EXACT, observer=observer, rng=random.Random(0))
    assert lives == 4
    assert observer.delays == [1]
