"""Where those are heard for whom there is no place, under a virtual clock."""

from __future__ import annotations

import math
from functools import partial

import pytest
import trio
from trio.testing import MockClock

from scoreboard.door import DoorLimits
from scoreboard.door.seats import Seats

SEATS_2 = DoorLimits(probes=2, probe_within_s=2.0)


def uncut() -> None:
    """Nobody closes this socket."""
    pytest.fail("it was cut")


async def test_who_says_nothing_loses_the_seat_after_a_moment(autojump_clock: MockClock) -> None:
    """And the seat is free then."""
    seats, began = Seats(SEATS_2), trio.current_time()
    with seats.seat():
        await trio.sleep(math.inf)
    assert 2.0 == trio.current_time() - began
    assert "<Seats, 0 of 2 taken>" == repr(seats)


async def test_who_is_being_answered_keeps_it_as_long_as_that_takes(autojump_clock: MockClock) -> None:
    """A server whose database is away takes its time to say so, and is not to be cut off in the middle of it."""
    seats, answered = Seats(SEATS_2), False
    with seats.seat() as seat:
        seat.serve(uncut)
        await trio.sleep(60)
        answered = True
    assert answered


async def test_the_oldest_makes_room_and_its_socket_is_closed_if_it_was_being_answered(
    autojump_clock: MockClock,
) -> None:
    """One that has said nothing is only told to go."""
    seats, ended, cut = Seats(SEATS_2), list[int](), list[int]()

    async def sit(number: int, *, served: bool) -> None:
        with seats.seat() as seat:
            if served:
                seat.serve(lambda: cut.append(number))
            await trio.sleep(math.inf)
        ended.append(number)

    async with trio.open_nursery() as nursery:
        for number, served in enumerate((True, False, True, True)):
            nursery.start_soon(partial(sit, number, served=served))
            await trio.testing.wait_all_tasks_blocked()
        assert ([0, 1], [0]) == (ended, cut)
        seats.clear()
    assert ([0, 1, 2, 3], [0, 2, 3]) == (sorted(ended), cut)
