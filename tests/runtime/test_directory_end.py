from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.runtime import (
    ActorStopped,
    CellOptions,
    GaveUp,
)
from tests.runtime.probes import (
    EXACT,
    Broken,
    Crash,
    Note,
    Probe,
    Recorder,
    Slow,
    asking,
    directory_of,
)


async def test_stopping_releases_all_askers_at_once(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """Messages in hand are finished and answered, everybody else hears ActorStopped at once, and all state is saved."""
    diaries: dict[str, list[str]] = {}
    in_hand, queued = [], []
    async with directory_of(lambda key: Probe(diaries.setdefault(key, []))) as directory:
        for key in "abc":
            in_hand.append(asking(nursery, directory.ref(key), Slow("slow", 2)))
            await wait_all_tasks_blocked()
            queued += [asking(nursery, directory.ref(key), Note(str(n))) for n in range(10)]
        await wait_all_tasks_blocked()
    assert trio.current_time() == 2
    await wait_all_tasks_blocked()
    assert [(asker.result, asker.at) for asker in in_hand] == [("slow", 2)] * 3
    assert {type(asker.result) for asker in queued} == {ActorStopped}
    assert {asker.at for asker in queued} == {0}
    assert list(diaries.values()) == [["started", "slow", "stopped"]] * 3
    assert directory.live == 0


async def test_stopping_is_bounded_when_all_hang(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """In a message, in `started` or in `stopped`: the bounds of all run side by side."""
    diary: list[str] = []

    def make(key: str) -> Probe:
        return Probe(
            diary,
            started=trio.sleep_forever if key == "starts" else trio.lowlevel.checkpoint,
            stopped=trio.sleep_forever if key == "stops" else trio.lowlevel.checkpoint,
        )

    observer = Recorder()
    options = CellOptions(start_within_s=1000, stop_within_s=4)
    async with directory_of(make, observer=observer, options=options) as directory:
        works = asking(nursery, directory.ref("works"), Slow("slow", 1000), within=2000)
        starts = asking(nursery, directory.ref("starts"), Note("a"), within=2000)
        directory.tell("stops", Note("a"))
        await wait_all_tasks_blocked()
    await wait_all_tasks_blocked()
    assert trio.current_time() == 4
    assert (works.at, starts.at) == (4, 0)
    assert isinstance(works.result, ActorStopped)
    assert works.result.begun
    assert isinstance(starts.result, ActorStopped)
    assert not starts.result.begun
    assert observer.of("stop_timed_out") == [("stop_timed_out", "all/stops")]
    assert diary.count("stopped") == 1


async def test_stopping_takes_at_most_both_bounds(autojump_clock: MockClock) -> None:
    """A message that ends just in time still leaves the actor its full bound to save."""
    options = CellOptions(stop_within_s=4)
    async with directory_of(lambda _: Probe([], stopped=trio.sleep_forever), options=options) as directory:
        directory.tell("a", Slow("slow", 3))
        await wait_all_tasks_blocked()
    assert trio.current_time() == 7


async def test_stopping_cuts_pauses(autojump_clock: MockClock) -> None:
    """Actors that wait for their restart are gone at once."""
    async with directory_of(lambda _: Probe([])) as directory:
        for n in range(5):
            directory.tell(str(n), Crash())
        await wait_all_tasks_blocked()
        assert directory.live == 5
    assert (trio.current_time(), directory.live) == (0, 0)


async def test_an_error_in_the_body_stops_the_actors_in_order(autojump_clock: MockClock) -> None:
    """They finish and save as at any other end, and the error comes out in a group."""
    diary: list[str] = []
    with pytest.raises(ExceptionGroup) as caught:
        async with directory_of(lambda _: Probe(diary)) as directory:
            directory.tell("a", Slow("slow", 2))
            await wait_all_tasks_blocked()
            raise Broken("body")
    assert caught.group_contains(Broken, match="body")
    assert diary == ["started", "slow", "stopped"]
    assert trio.current_time() == 2


async def test_an_error_in_the_body_survives_a_cancellation(autojump_clock: MockClock) -> None:
    """Both at once: the error is not replaced by the cancellation, and the end is as bounded as ever."""
    options = CellOptions(stop_within_s=4)
    with pytest.raises(ExceptionGroup) as caught:
        with trio.CancelScope() as scope:
            async with directory_of(
                lambda key: Probe([], stopped=trio.sleep_forever if key == "hangs" else trio.lowlevel.checkpoint),
                options=options,
            ) as directory:
                for key in ("a", "hangs"):
                    await directory.ask(key, Note("a"), within=1)
                scope.cancel()
                raise Broken("body")
    assert caught.group_contains(Broken, match="body")
    assert trio.current_time() == 4


async def test_cancelling_a_directory_saves_what_is_whole(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """Idle actors save within their bound, busy ones do not, and every asker is released at once."""
    diaries: dict[str, list[str]] = {}
    with trio.move_on_after(1):
        async with directory_of(lambda key: Probe(diaries.setdefault(key, []))) as directory:
            await directory.ask("idle", Note("a"), within=1)
            busy = asking(nursery, directory.ref("busy"), Slow("slow", 100), within=200)
            await wait_all_tasks_blocked()
            queued = asking(nursery, directory.ref("busy"), Note("a"), within=200)
            await trio.sleep_forever()
    await wait_all_tasks_blocked()
    assert diaries == {"idle": ["started", "a", "stopped"], "busy": ["started", "slow"]}
    assert (busy.at, queued.at, directory.live) == (1, 1, 0)


async def test_giving_up_ends_the_directory(autojump_clock: MockClock) -> None:
    """Unless somebody decides otherwise, what cannot be kept running is the business of the level above."""
    with pytest.raises(ExceptionGroup) as caught:
        async with directory_of(lambda _: Probe([])) as directory:
            for n in range(6):
                directory.tell("a", Crash(str(n)))
            await trio.sleep_forever()
    (gave_up,) = caught.value.exceptions
    assert isinstance(gave_up, GaveUp)
    assert [str(error) for error in gave_up.exceptions] == list("012345")
    assert str(gave_up).startswith("all/a failed 6 times within 60 s")


async def test_a_key_that_gave_up_may_be_left_alone(autojump_clock: MockClock) -> None:
    """`on_give_up` hears key and errors; the others live on, and the next message makes a fresh actor."""
    heard: list[tuple[str, int]] = []

    def on_give_up(key: str, error: GaveUp) -> None:
        heard.append((key, len(error.exceptions)))
        assert directory.live == 1  # the failed one has been forgotten

    async with directory_of(lambda _: Probe([]), on_give_up=on_give_up) as directory:
        await directory.ask("b", Note("a"), within=1)
        for _ in range(6):
            directory.tell("a", Crash())
        await trio.sleep(60)
        assert heard == [("a", 6)]
        for key in "ab":
            assert await directory.ask(key, Note(key), within=1) == key


async def test_a_message_may_be_sent_while_giving_up(autojump_clock: MockClock) -> None:
    """The key is free again when `on_give_up` is called."""
    diary: list[str] = []

    def on_give_up(key: str, _error: GaveUp) -> None:
        directory.tell(key, Note("again"))

    async with directory_of(lambda _: Probe(diary), on_give_up=on_give_up) as directory:
        for _ in range(6):
            directory.tell("a", Crash())
        await trio.sleep(60)
        assert diary[-2:] == ["started", "again"]


async def test_what_on_give_up_raises_ends_the_directory(autojump_clock: MockClock) -> None:
    """It is how the one who decides says that it is too bad."""

    def on_give_up(key: str, error: GaveUp) -> None:
        raise Broken(key) from error

    with pytest.raises(ExceptionGroup) as caught:
        async with directory_of(lambda _: Probe([]), on_give_up=on_give_up) as directory:
            for _ in range(6):
                directory.tell("a", Crash())
            await trio.sleep_forever()
    assert caught.group_contains(Broken, match="a")


async def test_giving_up_waits_a_bounded_time_for_actors_that_hang(autojump_clock: MockClock) -> None:
    """The others may save, and those that hang in it are cut off."""
    diary: list[str] = []

    async def hang() -> None:
        await trio.sleep_forever()

    observer = Recorder()
    options = CellOptions(stop_within_s=4, restarts=EXACT)
    with pytest.raises(ExceptionGroup):
        async with directory_of(
            lambda key: Probe(diary, stopped=hang if key == "b" else trio.lowlevel.checkpoint),
            options=options,
            observer=observer,
        ) as directory:
            await directory.ask("b", Note("b"), within=1)
            for _ in range(6):
                directory.tell("a", Crash())
            await trio.sleep_forever()
    assert trio.current_time() == 23 + 4
    assert observer.of("stop_timed_out") == [("stop_timed_out", "all/b")]
