"""Whose turn it is: those who are known go first, and keep nobody out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio
from trio.testing import wait_all_tasks_blocked

from scoreboard.security.turns import Asker, Turns


class Queue:
    """Turns, one at a time, the first of which is held by somebody."""

    def __init__(self, nursery: trio.Nursery, turns: Turns) -> None:
        self.turns = turns
        self.order: list[str] = []
        self.nursery = nursery
        self.held = trio.Event()

    async def ask(self, name: str, asker: Asker) -> None:
        """Wait behind those who came before."""
        self.nursery.start_soon(self._have, name, asker)
        await wait_all_tasks_blocked()

    async def _have(self, name: str, asker: Asker) -> None:
        async with self.turns.taken(asker):
            self.order.append(name)
            await self.held.wait()


@asynccontextmanager
async def queue(*, waiting: int = 8, share: float = 1.0, kept: int = 8) -> AsyncIterator[Queue]:
    """All have had their turn when the body has ended."""
    async with trio.open_nursery() as nursery:
        found = Queue(nursery, Turns(at_once=1, waiting=waiting, share=share, kept=kept))
        await found.ask("first", Asker())
        yield found
        found.held.set()
    assert 0 == found.turns.inside


async def test_who_is_known_goes_first_but_not_for_ever() -> None:
    """Of four turns one is a stranger's, if one waits; in each lane all go in the order in which they came."""
    async with queue() as found:
        for number in range(3):
            await found.ask(f"stranger {number}", Asker())
        for number in range(8):
            await found.ask(f"known {number}", Asker(known=f"mark {number}"))
    known, strangers = ([f"{name} {number}" for number in range(8)] for name in ("known", "stranger"))
    assert ["first", *known[:3], strangers[0], *known[3:6], strangers[1], *known[6:], strangers[2]] == found.order


async def test_turns_of_who_is_known_while_nobody_waits_are_not_counted_against_them() -> None:
    """Who comes to wait then waits for three more at most."""
    async with queue() as found:
        for number in range(6):
            await found.ask(f"known {number}", Asker(known=f"mark {number}"))
        await found.ask("stranger", Asker())
    assert 4 >= found.order.index("stranger")


async def test_who_is_known_goes_on_where_nobody_else_waits() -> None:
    """However many in a row."""
    async with queue() as found:
        for number in range(6):
            await found.ask(f"known {number}", Asker(known=f"mark {number}"))
    assert 7 == len(found.order)


async def test_strangers_take_no_place_of_who_is_known() -> None:
    """However many they are."""
    async with queue(waiting=1, kept=1) as found:
        await found.ask("stranger", Asker())
        assert not found.turns.has_room(Asker())
        assert found.turns.has_room(Asker(known="mark"))
        await found.ask("known", Asker(known="mark"))
        assert not found.turns.has_room(Asker(known="another mark"))
        assert "inside=2/2 known=1/1" == repr(found.turns)
    assert ["first", "known", "stranger"] == found.order


async def test_one_mark_has_one_place_and_is_as_everybody_beside_it() -> None:
    """Who shares an address with a player keeps that one place at most; then names count as they do for all."""
    async with queue(waiting=3, share=0.25, kept=8) as found:
        asker = Asker(("account x",), "mark")
        await found.ask("known", asker)
        await found.ask("again", asker)
        assert "inside=2/4 known=1/8" == repr(found.turns)
        assert not found.turns.has_room(asker)
        assert found.turns.has_room(Asker(("account y",), "another mark"))


async def test_who_hangs_up_makes_room_and_gives_the_turn_on() -> None:
    """Whether it waited or had its turn."""
    turns = Turns(at_once=1, waiting=1, share=1.0, kept=1)
    for asker in (Asker(), Asker(known="mark")):
        async with trio.open_nursery() as nursery:
            held = trio.Event()
            found = Queue(nursery, turns)
            await found.ask("first", Asker())
            with trio.CancelScope() as scope:
                nursery.start_soon(_cancel_soon, scope)
                async with turns.taken(asker):
                    held.set()
            assert (True, False, 1) == (scope.cancelled_caught, held.is_set(), turns.inside)
            nursery.cancel_scope.cancel()
        with trio.fail_after(10):
            async with turns.taken(asker):
                assert 1 == turns.inside


async def _cancel_soon(scope: trio.CancelScope) -> None:
    await wait_all_tasks_blocked()
    scope.cancel()
