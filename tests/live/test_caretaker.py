"""Quiet clients are asked, lost ones cut, all told when the server goes."""

from __future__ import annotations

from collections import Counter

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair, wait_all_tasks_blocked
from wsproto.events import Ping

from scoreboard.door.head import RequestHead
from scoreboard.live.caretaker import LOOKS, SENT_HOME, SLICE, Care, Caretaker, Patience, care_for, waves
from tests.live.feeds import Boards, Client, make_feed
from tests.live.wire import PONG, frame


def _head() -> RequestHead:
    headers = (("sec-websocket-version", "13"), ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="))
    return RequestHead("GET", "/ws/leaderboard", headers, "1.1", b"", b"")


async def test_a_quiet_client_is_asked_and_one_that_answers_is_kept(autojump_clock: MockClock) -> None:
    """A ping after 25 s of silence or a little more; the pong, or anything else, starts the silence anew."""
    near, far = memory_stream_pair()
    client, feed = Client(far), make_feed(Boards(), {})  # type: ignore[arg-type]
    heard_at = trio.current_time()
    async with feed.running(), trio.open_nursery() as nursery:
        nursery.start_soon(feed, near, _head(), trio.Event())
        await client.handshake()
        for _ in range(3):
            assert Ping(payload=b"") == await client.event()
            assert 25 <= trio.current_time() - heard_at <= 25 * (1 + 1 / LOOKS)
            await far.send_all(frame(PONG))
            heard_at = trio.current_time()
        nursery.cancel_scope.cancel()


async def test_a_client_that_is_gone_is_cut_after_its_ping(autojump_clock: MockClock) -> None:
    """20 s after the ping or a little more; its place is free, and the close frame was tried."""
    near, far = memory_stream_pair()
    client, feed = Client(far), make_feed(Boards(), {})  # type: ignore[arg-type]
    async with feed.running():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(feed, near, _head(), trio.Event())
            await client.handshake()
        assert 45 <= trio.current_time() <= 45 + 2 * 25 / LOOKS
        assert feed.connected == 0


class _Paused:
    """A stream whose client's machine answers although the client itself does not."""

    def __init__(self) -> None:
        self.heard_at = self.pinged_at = trio.current_time()
        self.given_up_at: float | None = None

    def ask(self, now: float) -> None:
        self.pinged_at = now

    def peer_is_gone(self, _: float) -> bool:
        return False

    def give_up(self) -> None:
        self.given_up_at = trio.current_time()


async def test_a_client_that_does_not_read_is_kept_for_an_hour(autojump_clock: MockClock) -> None:
    """It is only behind; after that its place is needed for others."""
    paused, caretaker = _Paused(), Caretaker(Patience())
    async with caretaker.running():
        with trio.CancelScope() as scope:
            caretaker.look_after(paused, scope, trio.Event())  # type: ignore[arg-type]  # as much of one as is asked
            await trio.sleep_forever()
    assert scope.cancelled_caught
    assert paused.given_up_at is not None
    assert 3600 < paused.given_up_at - paused.heard_at < 3600 + 3 * 20


async def test_clients_who_came_together_are_not_all_asked_at_once(autojump_clock: MockClock) -> None:
    """Their answers would come at once too, and whoever scores meanwhile would wait for all of them."""
    asked: Counter[float] = Counter()

    class Quiet(_Paused):
        def ask(self, now: float) -> None:
            super().ask(now)
            asked[trio.current_time()] += 1

    caretaker, closing = Caretaker(Patience()), trio.Event()
    with trio.move_on_after(25 * (1 + 2 / LOOKS)):
        async with caretaker.running():
            for _ in range(10 * SLICE):
                caretaker.look_after(Quiet(), trio.CancelScope(), closing)  # type: ignore[arg-type]
            await trio.sleep_forever()
    assert 10 * SLICE == asked.total()
    assert SLICE == max(asked.values())


async def test_a_client_that_leaves_during_a_round_is_let_alone(autojump_clock: MockClock) -> None:
    """Its stream may be closed by then."""
    caretaker, first, second = Caretaker(Patience()), _Paused(), _Paused()
    for stream in (first, second):
        stream.heard_at = stream.pinged_at = -100.0  # both are to be asked in the first round
    async with caretaker.running(), trio.open_nursery() as nursery:
        for stream in (first, second):
            caretaker.look_after(stream, trio.CancelScope(), trio.Event())  # type: ignore[arg-type]
        await wait_all_tasks_blocked()  # the round knows both
        caretaker.let_go(second)  # type: ignore[arg-type]
        await trio.sleep(25 / LOOKS + 0.1)
        nursery.cancel_scope.cancel()
    assert (25 / LOOKS, -100) == (first.pinged_at, second.pinged_at)


@pytest.mark.parametrize(
    ("heard_at", "pinged_at", "care"),
    [
        (80, -9, Care.NOTHING),  # not quiet for long enough
        (75, -9, Care.PING),
        (75, 75, Care.PING),  # pinged, and then heard
        (70, 96, Care.NOTHING),  # it still may answer
        (50, 80, Care.JUDGEMENT),
    ],
)
def test_silence_has_two_bounds(heard_at: float, pinged_at: float, care: Care) -> None:
    """One until the ping, one from there."""
    assert care == care_for(heard_at, pinged_at, 100, Patience(ping_after_s=25, pong_within_s=20))


async def test_all_are_told_when_the_server_goes_and_who_comes_later_too(autojump_clock: MockClock) -> None:
    """By their scopes, at once."""
    caretaker, closing, ended = Caretaker(Patience()), trio.Event(), []

    async def stay(name: str) -> None:
        with trio.CancelScope() as scope:
            caretaker.look_after(_Paused(), scope, closing)  # type: ignore[arg-type]
            await trio.sleep_forever()
        ended.append(name)

    async with caretaker.running(), trio.open_nursery() as nursery:
        for name in "ab":
            nursery.start_soon(stay, name)
        await wait_all_tasks_blocked()
        assert (len(caretaker), ended) == (2, [])
        closing.set()
        await wait_all_tasks_blocked()
        await stay("c")
        assert trio.current_time() == 0
    assert sorted(ended) == ["a", "b", "c"]


async def test_ten_thousand_are_not_sent_home_in_one_turn(autojump_clock: MockClock) -> None:
    """Others run in between; each of those who go has a close frame to send and an answer to hear."""
    caretaker, closing, cancelled_after = Caretaker(Patience()), trio.Event(), list[int]()
    scopes = [trio.CancelScope() for _ in range(5 * SENT_HOME)]
    async with caretaker.running():
        for scope in scopes:
            caretaker.look_after(_Paused(), scope, closing)  # type: ignore[arg-type]
        await wait_all_tasks_blocked()
        closing.set()
        while sum(cancelled_after) < len(scopes):
            await trio.lowlevel.checkpoint()
            cancelled_after.append(sum(scope.cancel_called for scope in scopes) - sum(cancelled_after))
    assert max(cancelled_after) <= 2 * SENT_HOME  # one looks before or behind the other in a turn, by chance


async def test_for_each_door_one_task_waits_however_its_clients_come() -> None:
    """Also when those of two doors come in turns."""
    caretaker, doors = Caretaker(Patience()), (trio.Event(), trio.Event())
    async with caretaker.running():
        await wait_all_tasks_blocked()
        before = trio.lowlevel.current_statistics().tasks_living
        for number in range(20):
            caretaker.look_after(_Paused(), trio.CancelScope(), doors[number % 2])  # type: ignore[arg-type]
        assert before + len(doors) == trio.lowlevel.current_statistics().tasks_living


async def test_nobody_is_left_alone() -> None:
    """A feed that was not started serves nobody."""
    with pytest.raises(RuntimeError):
        Caretaker(Patience()).look_after(_Paused(), trio.CancelScope(), trio.Event())  # type: ignore[arg-type]


async def test_clients_are_sent_home_in_waves_while_others_go_on(autojump_clock: MockClock) -> None:
    """Evenly over the time there is; who comes meanwhile stays, and who leaves is nobody's concern."""
    caretaker, closing, gone_at = Caretaker(Patience()), trio.Event(), list[float]()

    async def stay(stream: _Paused, for_s: float = 3600.0) -> None:
        with trio.CancelScope() as scope:
            caretaker.look_after(stream, scope, closing)  # type: ignore[arg-type]
            await trio.sleep(for_s)
        caretaker.let_go(stream)  # type: ignore[arg-type]
        gone_at.append(trio.current_time())

    async with caretaker.running(), trio.open_nursery() as nursery:
        for _ in range(100):
            nursery.start_soon(stay, _Paused())
        nursery.start_soon(stay, _Paused(), 0.01)
        await wait_all_tasks_blocked()
        assert caretaker.back_after_s() is None
        nursery.start_soon(caretaker.send_home, 5.0, lambda: 0.7)
        await trio.sleep(2.5)
        assert 0.7 == caretaker.back_after_s()
        assert 45 <= len(gone_at) <= 56
        nursery.start_soon(stay, _Paused())
        await trio.sleep(3)
        assert (101, 1) == (len(gone_at), len(caretaker))
        assert max(Counter(gone_at).values()) <= 3
        nursery.cancel_scope.cancel()


def test_there_are_as_many_waves_as_the_time_allows_and_none_is_empty() -> None:
    """Everybody is in exactly one."""
    assert [] == waves([], 5.0)
    assert [[1, 2, 3]] == [list(wave) for wave in waves([1, 2, 3], 0.0)]
    assert [[1], [2], [3]] == [list(wave) for wave in waves([1, 2, 3], 5.0)]
    assert sorted(range(1000)) == sorted(each for wave in waves(range(1000), 1.0) for each in wave)
    assert {100} == {len(wave) for wave in waves(range(1000), 1.0)}
