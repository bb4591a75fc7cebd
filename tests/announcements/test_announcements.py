"""What a worker hears of others, with a store and a bell that may be away."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.announcements.actor import AnnouncementsActor, AnnouncementsWorld
from actors.announcements.messages import Announce, Listening
from actors.ports import SESSION_ENDED, SessionId, StoreUnavailable
from actors.runtime import Ref, running_actor
from tests.fakes import FakeAccountStore, FakeAnnouncements, FakeBell, FakeClock, Players
from tests.ledger.office import PATIENT

LISTEN_S, LOOK_S = 0.5, 10.0
AWAY = StoreUnavailable("away")


@dataclass
class Listener:
    """One worker that listens; others end sessions and ring, or do not."""

    store: FakeAccountStore
    announcements: FakeAnnouncements
    bell: FakeBell
    heard: list[str] = field(default_factory=list)
    missed: list[Exception] = field(default_factory=list)
    history: str = "1"
    ref: Ref = field(init=False)

    def end(self, *sessions: str, ring: bool = True) -> None:
        """What another worker does."""
        self.store.ended += [SessionId(each) for each in sessions]
        self.bell.rung += ring


@asynccontextmanager
async def listening(*ended: str) -> AsyncIterator[Listener]:
    """Run one, for which some sessions have ended already."""
    store, bell = FakeAccountStore(Players(FakeClock())), FakeBell()
    listener = Listener(store, FakeAnnouncements(store), bell)
    listener.end(*ended, ring=False)
    world = AnnouncementsWorld(
        listener.announcements,
        bell,
        {SESSION_ENDED: listener.heard.append},
        keep_s=3600,
        listen_every_s=LISTEN_S,
        look_every_s=LOOK_S,
        missed=listener.missed.append,
        history=lambda: listener.history,
    )
    make = lambda: AnnouncementsActor(world)  # noqa: E731
    async with running_actor("listener", make, rng=random.Random(0), options=PATIENT) as listener.ref:
        yield listener


async def test_what_was_announced_before_the_start_is_known_when_it_listens(autojump_clock: MockClock) -> None:
    """A worker that has just started believes nobody whom others had to refuse."""
    async with listening("a", "b") as listener:
        await listener.ref.ask(Listening(), within=5)
        assert ["a", "b"] == listener.heard


async def test_who_hears_the_bell_looks_at_once(autojump_clock: MockClock) -> None:
    """Within the time from one listening to the next; without a ring nobody looks for long."""
    async with listening() as listener:
        await trio.sleep(LISTEN_S * 2.5)
        calls = listener.announcements.faults.calls
        await trio.sleep(LISTEN_S * 5)
        assert calls == listener.announcements.faults.calls
        listener.end("a")
        await trio.sleep(LISTEN_S)
        assert ["a"] == listener.heard


async def test_without_the_bell_it_looks_now_and_then(autojump_clock: MockClock) -> None:
    """Redis may be away, or the one who rang may have died before."""
    async with listening() as listener:
        await wait_all_tasks_blocked()
        listener.bell.faults.fail_before(*[AWAY] * 1000)
        listener.end("a", ring=False)
        await trio.sleep(LOOK_S + LISTEN_S)
        assert ["a"] == listener.heard


async def test_a_bell_that_does_not_answer_holds_nothing_up_for_long(autojump_clock: MockClock) -> None:
    """A look that is due comes a second later."""
    async with listening() as listener:
        await wait_all_tasks_blocked()
        listener.bell.faults.hold()
        listener.end("a", ring=False)
        await trio.sleep(LOOK_S + LISTEN_S + 1.5)
        assert ["a"] == listener.heard


async def test_a_store_that_is_away_is_asked_again_soon(autojump_clock: MockClock) -> None:
    """What was rung for is not forgotten, and each miss is told."""
    async with listening() as listener:
        await trio.sleep(LISTEN_S * 1.5)
        listener.announcements.faults.fail_before(AWAY, AWAY)
        listener.end("a")
        await trio.sleep(LISTEN_S * 3.5)
        assert (["a"], [AWAY, AWAY]) == (listener.heard, listener.missed)


async def test_what_this_worker_did_is_heard_here_and_rung_for_once(autojump_clock: MockClock) -> None:
    """Many who announce at the same time are one look and one ring."""
    async with listening() as listener:
        await listener.ref.ask(Listening(), within=5)
        listener.end("a", "b", ring=False)
        calls = listener.announcements.faults.calls
        for _ in range(100):
            listener.ref.tell(Announce())
        await wait_all_tasks_blocked()
        assert (["a", "b"], 1, calls + 1) == (listener.heard, listener.bell.rung, listener.announcements.faults.calls)


async def test_what_is_read_twice_is_told_once(autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """While an old transaction runs, each reading begins before it."""
    async with listening() as listener:
        await listener.ref.ask(Listening(), within=5)
        read = listener.announcements._after
        monkeypatch.setattr(listener.announcements, "_after", lambda _position: read(0))
        for name in ("a", "b"):
            listener.end(name, ring=False)
            listener.ref.tell(Announce())
            await wait_all_tasks_blocked()
        assert ["a", "b"] == listener.heard


async def test_after_a_crash_nothing_is_missing(autojump_clock: MockClock) -> None:
    """It begins anew with all that matters, so some is told again."""
    async with listening() as listener:
        await listener.ref.ask(Listening(), within=5)
        listener.announcements.faults.fail_before(RuntimeError("a bug"))
        listener.end("a")
        await trio.sleep(LISTEN_S * 3)
        assert {"a"} == set(listener.heard)


async def test_what_a_store_announces_that_has_lost_commits_is_heard(autojump_clock: MockClock) -> None:
    """Its numbers and positions come again; so all is read as soon as another history is known, bell or not."""
    async with listening("a", "b") as listener:
        await listener.ref.ask(Listening(), within=5)
        listener.store.ended.clear()
        listener.end("a", "c", ring=False)
        await trio.sleep(LISTEN_S)
        listener.history = "2"
        await trio.sleep(LISTEN_S)
        assert ["a", "b", "a", "c"] == listener.heard
