"""What is of use to an actor only while it is in memory."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.runtime import CellOptions, MailboxFull
from tests.runtime.probes import Note, Probe, directory_of


class Sleepy(Probe):
    """Takes a second to come and a second to go."""

    async def started(self) -> None:
        await trio.sleep(1)
        await super().started()

    async def stopped(self) -> None:
        await trio.sleep(1)
        await super().stopped()


async def test_an_offer_activates_nobody(autojump_clock: MockClock) -> None:
    """Whoever lives gets it, in order with all else."""
    diary: list[str] = []
    async with directory_of(lambda _: Probe(diary)) as directory:
        directory.offer("a", Note("early"))
        assert directory.live == 0
        directory.tell("a", Note("first"))
        directory.offer("a", Note("second"))
        assert await directory.ask("a", Note("third"), within=1) == "third"
        assert diary == ["started", "first", "second", "third"]
        assert directory.keys == ("a",)


async def test_offers_keep_nobody_awake(autojump_clock: MockClock) -> None:
    """However many come: they are no use of the actor."""
    diary: list[str] = []
    async with directory_of(lambda _: Probe(diary), idle_after_s=4) as directory:
        directory.tell("a", Note("told"))
        for _ in range(20):
            await trio.sleep(0.3)
            directory.offer("a", Note("offered"))
        assert directory.live == 0
        assert diary[-1] == "stopped"


async def test_what_is_offered_while_an_actor_starts_waits_for_it_and_while_it_stops_is_dropped(
    autojump_clock: MockClock,
) -> None:
    """So an actor that reads all it needs when it starts misses nothing, and one that wants to rest may do so."""
    diary: list[str] = []
    async with directory_of(lambda _: Sleepy(diary), idle_after_s=4) as directory:
        directory.tell("a", Note("told"))
        await wait_all_tasks_blocked()
        directory.offer("a", Note("to one that starts"))
        await trio.sleep(4.5)
        directory.offer("a", Note("to one that stops"))
        directory.tell("a", Note("told again"))
        directory.offer("a", Note("to one that stops and will start"))
        await trio.sleep(1)
        directory.offer("a", Note("to the next"))
        await trio.sleep(1)
        assert diary == ["started", "told", "to one that starts", "stopped", "started", "told again", "to the next"]


async def test_an_offer_has_its_bound_too(autojump_clock: MockClock) -> None:
    """Who offers hears that there is no room."""
    async with directory_of(lambda _: Sleepy([]), options=CellOptions(capacity=1)) as directory:
        directory.tell("a", Note("told"))
        with pytest.raises(MailboxFull):
            directory.offer("a", Note("offered"))
