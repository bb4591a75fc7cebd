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
    MailboxFull,
    TooManyActors,
)
from tests.runtime.probes import (
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
