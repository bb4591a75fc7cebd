from __future__ import annotations

import math
import random
from contextvars import ContextVar

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.runtime import (
    Actor,
    ActorCrashed,
    ActorStopped,
    CellOptions,
    Directory,
    GaveUp,
    MailboxFull,
    TooManyActors,
)
from tests.runtime.probes import (
    EXACT,
    Broken,
    Call,
    Crash,
    No,
    Note,
    Probe,
    Recorder,
    Refuse,
    Slow,
    asking,
    directory_of,
)

colour: ContextVar[str] = ContextVar("colour", default="none")


async def test_a_hundred_first_messages_make_one_actor(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """However many come at once to a key that does not live: one activation, and all are served."""
    diary: list[str] = []
    observer = Recorder()
    async with directory_of(lambda _: Probe(diary), observer=observer) as directory:
        askers = [asking(nursery, directory.ref("a"), Note(str(n))) for n in range(100)]
        await wait_all_tasks_blocked()
        assert {asker.result for asker in askers} == {str(n) for n in range(100)}
        assert observer.seen == [("activated", "all/a")]
        assert directory.live == 1
    assert diary.count("started") == 1


async def test_each_live_actor_has_one_task(autojump_clock: MockClock) -> None:
    """No more and no less, whatever has been sent."""
    async with directory_of(lambda _: Probe([])) as directory:
        await wait_all_tasks_blocked()
        before = trio.lowlevel.current_statistics().tasks_living
        for _ in range(3):
            for n in range(20):
                directory.tell(str(n), Note("a"))
                await directory.ask(str(n), Note("b"), within=1)
        assert trio.lowlevel.current_statistics().tasks_living == before + 20
        assert directory.live == 20


async def test_each_key_has_an_order_of_its_own(autojump_clock: MockClock) -> None:
    """Messages to one key are served in the order they were sent; a slow key delays no other."""
    diaries: dict[str, list[str]] = {}

    def make(key: str) -> Probe:
        return Probe(diaries.setdefault(key, []))

    async with directory_of(make) as directory:
        directory.tell("slow", Slow("zzz", 100))
        for n in range(10):
            for key in ("slow", "fast"):
                directory.tell(key, Note(str(n)))
        await wait_all_tasks_blocked()
        assert diaries["fast"] == ["started", *map(str, range(10))]
        assert directory.waiting == 10
        await trio.sleep(101)
        assert diaries["slow"] == ["started", "zzz", *map(str, range(10))]


async def test_a_ref_serves_every_incarnation(autojump_clock: MockClock) -> None:
    """It may be kept, and does not by itself make an actor live."""
    async with directory_of(lambda _: Probe([]), idle_after_s=4) as directory:
        ref = directory.ref("a")
        assert directory.live == 0
        for _ in range(3):
            assert await ref.ask(Note("a"), within=1) == "a"
            await trio.sleep(10)
            assert directory.live == 0


async def test_a_crash_of_one_key_touches_no_other(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """Neither its state nor its askers."""
    diaries: dict[str, list[str]] = {}
    async with directory_of(lambda key: Probe(diaries.setdefault(key, []))) as directory:
        other = asking(nursery, directory.ref("b"), Slow("slow", 3))
        await wait_all_tasks_blocked()
        with pytest.raises(ActorCrashed):
            await directory.ask("a", Crash(), within=1)
        with pytest.raises(No):
            await directory.ask("a", Refuse(), within=5)
        await trio.sleep(5)
        assert other.result == "slow"
    assert diaries == {"a": ["started", "started", "stopped"], "b": ["started", "slow", "stopped"]}


async def test_a_directory_holds_no_more_actors_than_it_may(autojump_clock: MockClock) -> None:
    """TooManyActors at once for a new key; those that live are served, and room comes back when one has gone."""
    async with directory_of(lambda _: Probe([]), max_live=2, idle_after_s=4) as directory:
        for key in "ab":
            await directory.ask(key, Note("a"), within=1)
        with pytest.raises(TooManyActors, match="all has 2 live actors"):
            directory.tell("c", Note("a"))
        with pytest.raises(TooManyActors):
            await directory.ask("c", Note("a"), within=1)
        assert await directory.ask("b", Note("b"), within=1) == "b"
        assert directory.live == 2
        await trio.sleep(10)
        assert await directory.ask("c", Note("c"), within=1) == "c"


async def test_a_full_mailbox_is_of_one_key(autojump_clock: MockClock) -> None:
    """It is counted under the actor's name."""
    observer = Recorder()
    options = CellOptions(capacity=2)
    async with directory_of(lambda _: Probe([]), observer=observer, options=options) as directory:
        for _ in range(2):
            directory.tell("a", Note("a"))
        with pytest.raises(MailboxFull, match="all/a has 2 messages waiting"):
            directory.tell("a", Note("a"))
        directory.tell("b", Note("b"))
        await wait_all_tasks_blocked()
        assert observer.of("mailbox_full") == [("mailbox_full", "all/a")]


async def test_a_directory_that_does_not_run_takes_nothing(autojump_clock: MockClock) -> None:
    """Before it runs and after; it may run again."""
    directory: Directory[str] = Directory("all", lambda _: Probe([]), rng=random.Random(0))
    for _ in range(2):
        with pytest.raises(ActorStopped, match="all is not running"):
            directory.tell("a", Note("a"))
        with pytest.raises(ActorStopped):
            await directory.ask("a", Note("a"), within=1)
        async with directory.running():
            assert await directory.ask("a", Note("a"), within=1) == "a"


async def test_a_directory_runs_once_at_a_time(autojump_clock: MockClock) -> None:
    """Two runs at once would make two actors of one key."""
    async with directory_of(lambda _: Probe([])) as directory:
        with pytest.raises(RuntimeError, match="all is running already"):
            async with directory.running():
                pass
        assert await directory.ask("a", Note("a"), within=1) == "a"


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


async def test_an_actor_keeps_nothing_of_who_sent_first(autojump_clock: MockClock) -> None:
    """Its context is that of the directory: what a request bound for its logs does not stay with the actor for life."""
    seen = []

    async def look() -> None:
        seen.append(colour.get())

    colour.set("of the server")
    async with (
        directory_of(lambda _: Probe([], started=look, stopped=look)) as directory,
        trio.open_nursery() as nursery,
    ):

        async def request(key: str) -> None:
            colour.set("of a request")
            await directory.ask(key, Call(look), within=1)

        nursery.start_soon(request, "a")
        nursery.start_soon(request, "b")
    assert seen == ["of the server"] * 6


async def test_a_directory_shows_how_many_live(autojump_clock: MockClock) -> None:
    """For the person at the debugger."""
    async with directory_of(lambda _: Probe([])) as directory:
        assert repr(directory) == "<Directory all, 0 live>"
        assert repr(directory.ref("a")) == "<Ref all/a>"
        directory.tell("a", Slow("slow", 5))
        await wait_all_tasks_blocked()
        directory.tell("a", Note("a"))
        assert repr(directory) == "<Directory all, 1 live>"
        (cell,) = directory._cells.values()
        assert repr(cell) == "<Cell all/a live <Mailbox all/a 1/1000>>"


@pytest.mark.parametrize("idle_after_s", [0, -1, math.nan])
def test_idleness_without_a_length_is_a_mistake(idle_after_s: float) -> None:
    """It is refused when the directory is made, since its sweep would never sleep."""
    with pytest.raises(ValueError, match="all: idle_after_s must be above 0"):
        Directory("all", lambda _: Actor(), rng=random.Random(0), idle_after_s=idle_after_s)
