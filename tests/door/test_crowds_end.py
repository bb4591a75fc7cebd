"""How a crowd ends that keeps us waiting."""

from __future__ import annotations

from collections import Counter

import pytest
import trio
import trio.testing

from scoreboard.door.limits import DoorLimits
from scoreboard.door.rounds import Rounds
from scoreboard.ends import EndRate, Ends
from tests.door.attacks import PLAIN
from tests.door.doors import open_door, read_all

MANY = 120
_RATE = EndRate(per_s=100, burst=4, most_s=5)


@pytest.mark.parametrize(
    "says",
    [
        b"",
        b"GET / HT",
        PLAIN,
        PLAIN + b"GET / HT",
        b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhalf",
    ],
    ids=["nothing", "half a head", "no second request", "half a second head", "half a body"],
)
async def test_of_a_crowd_that_keeps_us_waiting_only_a_few_are_cut_in_a_turn(
    autojump_clock: trio.testing.MockClock, says: bytes
) -> None:
    """Each end costs; hundreds of them in one turn would keep everybody else waiting."""
    del autojump_clock
    limits, rounds = DoorLimits(head_within_s=1, linger_within_s=0.1), Rounds(ends=Ends(_RATE))
    ended_at = Counter[float]()

    async def be_cut(client: trio.SocketStream) -> None:
        async with client:
            await client.send_all(says)
            await read_all(client)
        ended_at[round(trio.current_time(), 6)] += 1

    async with open_door(limits, rounds=rounds, keep_alive_timeout=1, read_timeout=1) as opened:
        async with trio.open_nursery() as nursery:
            for _ in range(MANY):
                nursery.start_soon(be_cut, await opened.connect())
    assert MANY == ended_at.total()
    assert max(ended_at.values()) <= _RATE.burst
    assert 1.0 == min(ended_at)
