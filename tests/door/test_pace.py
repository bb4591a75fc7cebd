"""How soon who sends in pieces is read on."""

from __future__ import annotations

import os

import pytest
import trio
import trio.testing

from scoreboard.door.pace import Pace, PieceRate, has_come
from scoreboard.door.rounds import Rounds
from tests.door.attacks import PLAIN
from tests.door.doors import OpenDoor, open_door, read_until

MANY = 150
_BEGINNING, _REST = PLAIN[:10], PLAIN[10:]
_BODY = b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n"


def _comes() -> bool:
    return True


def _slow() -> Rounds:
    return Rounds(pieces=Pace(PieceRate(per_s=100, burst=8)))


async def test_who_is_alone_is_read_on_at_once() -> None:
    """A large head comes in a few pieces, and waits for nothing."""
    pace = Pace()
    with trio.testing.assert_no_checkpoints():
        for _ in range(10):
            await pace.before_more("a", _comes)


async def test_a_crowd_of_one_address_is_read_on_evenly_and_nobody_else_waits(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """At no moment more than a few of those who wait; who comes from elsewhere does not stand behind them."""
    del autojump_clock
    pace, read_at = Pace(PieceRate(per_s=100, burst=5)), list[float]()

    async def go_on() -> None:
        await pace.before_more("crowd", _comes)
        read_at.append(trio.current_time())

    async with trio.open_nursery() as nursery:
        for _ in range(100):
            nursery.start_soon(go_on)
        await trio.lowlevel.checkpoint()
        with trio.testing.assert_no_checkpoints():
            await pace.before_more("elsewhere", _comes)
    later = [at for at in read_at if at > read_at[0]]
    assert (5, 95) == (len(read_at) - len(later), len({round(at, 6) for at in later}))


async def test_nobody_waits_longer_than_told(autojump_clock: trio.testing.MockClock) -> None:
    """Also who shares the address of ten thousand that send nothing but beginnings."""
    del autojump_clock
    pace = Pace(PieceRate(per_s=10, burst=1, most_s=2))
    for _ in range(10_000):
        pace.wait_for("crowd", trio.current_time())
    begun = trio.current_time()
    await pace.before_more("crowd", _comes)
    assert trio.current_time() - begun == pytest.approx(2, abs=1e-6)


async def test_who_has_nothing_more_to_say_waits_again(autojump_clock: trio.testing.MockClock) -> None:
    """It is not left to be woken together with all the others."""
    del autojump_clock
    pace, looks = Pace(PieceRate(per_s=1, burst=0)), iter([False, False, True])
    begun = trio.current_time()
    await pace.before_more("a", lambda: next(looks))
    assert round(trio.current_time() - begun) >= 3


def test_addresses_that_are_quiet_are_forgotten() -> None:
    """As many are remembered as were heard lately."""
    pace = Pace()
    for number in range(10_000):
        pace.wait_for(str(number), float(number))
    assert int(repr(pace).rpartition(", ")[2].split()[0]) <= 257


async def test_what_has_come_is_seen_without_reading_it() -> None:
    """So is that the client has left; what cannot be looked at is read."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener:
        client = await trio.open_tcp_stream(*listener.socket.getsockname())
        stream = await listener.accept()
        assert not has_come(stream)
        await client.send_all(b"x")
        await trio.lowlevel.wait_readable(stream.socket)
        assert has_come(stream)
        await stream.receive_some(1)
        assert not has_come(stream)
        await client.aclose()
        await trio.lowlevel.wait_readable(stream.socket)
        assert has_come(stream)
        await stream.aclose()
        assert has_come(stream)
    assert has_come(trio.testing.memory_stream_pair()[0])


class _Woken(trio.abc.Instrument):
    """Counts the tasks that take a step in a turn of the loop, and keeps the most."""

    def __init__(self) -> None:
        self._now = self.most = 0

    def after_io_wait(self, timeout: float) -> None:
        del timeout
        self._now = 0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        del task
        self._now += 1
        self.most = max(self.most, self._now)


@pytest.mark.parametrize("first", [True, False], ids=["first heads", "later heads"])
async def test_a_byte_on_each_of_many_connections_wakes_only_a_few_at_once(*, first: bool) -> None:
    """All come at one moment, again and again, and each of the heads is answered when its last byte has come."""
    async with open_door(rounds=_slow()) as opened:
        before = b"" if first else PLAIN
        crowd = await _crowd(opened, before + _BEGINNING)
        await trio.sleep(0.01)
        for place in range(3):
            assert await _most_woken(crowd, _REST[place : place + 1]) < MANY // 2
        _send(crowd, _REST[3:])
        for stream in crowd:
            await read_until(stream, b"hello", times=1 if first else 2)
            await stream.aclose()


async def test_a_byte_of_each_of_many_bodies_wakes_only_a_few_at_once() -> None:
    """Bodies that drip are no dearer than heads."""
    async with open_door(rounds=_slow()) as opened:
        crowd = await _crowd(opened, _BODY + b"x")
        for _ in range(2):
            _send(crowd, b"x")
            await trio.sleep(0.05)
        assert await _most_woken(crowd, b"x") < MANY // 2
        _send(crowd, b"x" * 96)
        for stream in crowd:
            await read_until(stream, b"x" * 100)
            await stream.aclose()


async def _crowd(opened: OpenDoor, said: bytes) -> list[trio.SocketStream]:
    crowd = [await opened.connect() for _ in range(MANY)]
    _send(crowd, said)
    await trio.sleep(0.1)
    return crowd


def _send(crowd: list[trio.SocketStream], data: bytes) -> None:
    for stream in crowd:
        assert len(data) == os.write(stream.socket.fileno(), data)  # all of them within one turn


async def _most_woken(crowd: list[trio.SocketStream], data: bytes) -> int:
    """Of tasks in one turn, from the moment when all of them send this."""
    woken = _Woken()
    trio.lowlevel.add_instrument(woken)
    _send(crowd, data)
    await trio.sleep(0.05)
    trio.lowlevel.remove_instrument(woken)
    return woken.most
