"""Whose turn it is where one address asks on many connections."""

from __future__ import annotations

import os
from typing import Any

import pytest
import trio
import trio.testing

from scoreboard.door.rounds import COMPANY_TURNS, IN_COMPANY, OF_ONE, Rounds
from tests.door.attacks import PLAIN
from tests.door.doors import app, open_door, read_until

MANY = 200
FEW = tuple(f"127.0.0.{last}" for last in range(2, 7))


async def test_who_is_alone_does_not_wait() -> None:
    """Not even for others to have a turn: most requests are alone in theirs."""
    rounds = Rounds()
    async with trio.open_nursery() as nursery:
        await nursery.start(rounds.run)
        with trio.testing.assert_no_checkpoints():
            await rounds.begin("a")
        nursery.cancel_scope.cancel()


async def test_nobody_waits_where_nobody_keeps_the_rounds() -> None:
    """A handler without a door serves as ever."""
    rounds = Rounds(of_one=1)
    with trio.testing.assert_no_checkpoints():
        for _ in range(100):
            await rounds.begin("a")


async def test_a_crowd_of_one_address_keeps_nobody_else_waiting_and_is_served_in_its_order() -> None:
    """Whoever comes from elsewhere begins at once; of the crowd all begin, the first ones first."""
    rounds, begun = Rounds(), list[str]()

    async def ask(site: str, name: str) -> None:
        await rounds.begin(site)
        begun.append(name)

    async with trio.open_nursery() as nursery:
        await nursery.start(rounds.run)
        async with trio.open_nursery() as asking:
            for number in range(MANY):
                asking.start_soon(ask, "crowd", str(number))
            await trio.lowlevel.checkpoint()
            asking.start_soon(ask, "elsewhere", "honest")
            while len(begun) <= MANY:
                before = len(begun)
                await trio.lowlevel.checkpoint()
                assert len(begun) - before <= 2 * OF_ONE
        nursery.cancel_scope.cancel()
    assert sorted([*map(str, range(MANY)), "honest"]) == sorted(begun)
    assert begun.index("honest") <= 3 * OF_ONE


@pytest.mark.parametrize(("others", "most"), [(["elsewhere"], IN_COMPANY), ([], OF_ONE)], ids=["others", "nobody else"])
async def test_a_crowd_has_fewer_requests_begun_in_a_turn_while_others_are_there(others: list[str], most: int) -> None:
    """An answer takes several turns: who asks beside a crowd waits for short ones, who asks alone has long ones."""
    rounds, begun = Rounds(), list[str]()

    async def ask() -> None:
        await rounds.begin("crowd")
        begun.append("crowd")

    async with trio.open_nursery() as nursery:
        await nursery.start(rounds.run)
        for site in ("crowd", *others):
            await rounds.begin(site)
        async with trio.open_nursery() as asking:
            for _ in range(MANY):
                asking.start_soon(ask)
            await trio.lowlevel.checkpoint()
            turns = 0
            while len(begun) < MANY:
                await trio.lowlevel.checkpoint()
                turns += 1
        nursery.cancel_scope.cancel()
    assert turns == pytest.approx(MANY / most, rel=0.2)


async def test_who_was_beside_others_is_alone_again_when_they_are_quiet() -> None:
    """They are remembered for a while only."""
    rounds = Rounds()
    async with trio.open_nursery() as nursery:
        await nursery.start(rounds.run)
        await rounds.begin("elsewhere")
        for _ in range(COMPANY_TURNS + 1):
            await rounds.begin("crowd")
            await trio.lowlevel.checkpoint()
        with trio.testing.assert_no_checkpoints():
            for _ in range(OF_ONE - 1):
                await rounds.begin("crowd")
        nursery.cancel_scope.cancel()


async def test_who_gives_up_waiting_leaves_no_place_behind() -> None:
    """Those behind it begin, and nothing is kept of an address that has gone."""
    rounds = Rounds(of_one=1)
    async with trio.open_nursery() as nursery:
        await nursery.start(rounds.run)
        await rounds.begin("a")
        with trio.CancelScope() as given_up:
            given_up.cancel()
            await rounds.begin("a")
        assert given_up.cancelled_caught
        await rounds.begin("a")
        await trio.testing.wait_all_tasks_blocked()
        assert "<Rounds, 0 wait from 0 addresses>" == repr(rounds)
        nursery.cancel_scope.cancel()


async def test_those_who_wait_begin_when_the_rounds_end() -> None:
    """Or a door that closes would leave them waiting for ever."""
    rounds = Rounds(of_one=1)
    async with trio.open_nursery() as nursery:
        async with trio.open_nursery() as keeping:
            await keeping.start(rounds.run)
            for _ in range(5):
                nursery.start_soon(rounds.begin, "a")
            await trio.lowlevel.checkpoint()
            keeping.cancel_scope.cancel()


@pytest.mark.parametrize("first", [True, False], ids=["first requests", "later requests"])
async def test_requests_on_many_connections_of_one_address_do_not_keep_others_waiting(*, first: bool) -> None:
    """All have come at one moment, and those of others are among the first that are answered, not among the last."""
    asked = list[str]()

    async def told(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            asked.append(scope["client"][0])
        await app(scope, receive, send)

    async with open_door(application=told) as opened:
        crowd = [await _client(opened.port, "127.0.0.1") for _ in range(MANY)]
        others = [await _client(opened.port, address) for address in FEW]
        for stream in () if first else (*crowd, *others):
            await stream.send_all(PLAIN)
            await read_until(stream, b"hello")
        await trio.testing.wait_all_tasks_blocked()
        asked.clear()
        for stream in (*crowd, *others):
            assert len(PLAIN) == os.write(stream.socket.fileno(), PLAIN)  # all of them within one turn
        for stream in (*crowd, *others):
            await read_until(stream, b"hello")
            await stream.aclose()
    assert MANY + len(FEW) == len(asked)
    assert max(asked.index(address) for address in FEW) < MANY // 2


async def _client(port: int, address: str) -> trio.SocketStream:
    return await trio.open_tcp_stream("127.0.0.1", port, local_address=address)
