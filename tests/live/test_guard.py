"""Counting what a limit on size does not see."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoreboard.live.guard import PORTION, UNKNOWN, FrameGuard, FrameLimits, FrameViolation
from scoreboard.live.shares import FrameRate, FrameShares
from tests.live.wire import BINARY, CONTINUATION, PING, TEXT, frame


def _guard() -> FrameGuard:
    return FrameGuard(FrameLimits(fragments=4, anybody=FrameRate(10, 20)))


def _fed(guard: FrameGuard, data: bytes, now: float) -> float:
    """All of it, portion by portion; the longest wait."""
    waits = [guard.feed(data, now)]
    while guard.left:
        data = data[-guard.left :]
        waits.append(guard.feed(data, now))
    return max(waits)


def test_endless_empty_fragments_are_a_violation() -> None:
    """They add nothing to the size of the message, but each stays in memory."""
    guard = _guard()
    _fed(guard, frame(TEXT, fin=False) + frame(CONTINUATION, fin=False) * 3, 0)
    with pytest.raises(FrameViolation, match="fragments") as violation:
        _fed(guard, frame(CONTINUATION, fin=False), 0)
    assert violation.value.code == 1008


def test_whole_messages_and_pings_between_fragments_do_not_count_as_fragments() -> None:
    """A message that ends begins the count anew, and control frames may stand inside of one."""
    guard = _guard()
    message = (
        frame(BINARY, b"a", fin=False) + frame(PING) + frame(CONTINUATION, b"b" * 70_000) + frame(TEXT, b"c" * 200)
    )
    for at in range(20):
        _fed(guard, message, at)


#: Named, because a frame has a random mask, and two processes must give its test one name.
BEHIND = {"nothing": b"", "a ping": frame(PING), "the beginning of a text": frame(TEXT, b"x", fin=False)}


@pytest.mark.parametrize("size", [0, 1, 125, 126, 300, 65_535, 65_536])
@pytest.mark.parametrize("behind", BEHIND.values(), ids=BEHIND)
def test_a_message_in_one_piece_counts_as_one_in_many(size: int, behind: bytes) -> None:
    """With whatever follows it, and what a half one before it has begun goes on."""
    one, many = _guard(), _guard()
    piece = frame(TEXT, b"x" * size) + behind
    for _ in range(3):
        whole = _fed(one, piece, 0)
        assert whole == max(_fed(many, bytes((byte,)), 0) for byte in piece)
        assert one.between_messages == many.between_messages
    halved = frame(TEXT, frame(TEXT, b"abc"))  # within a message nothing is a header
    for guard in (one, many):
        _fed(guard, halved[:-9], 0)
        _fed(guard, halved[-9:], 0)
    assert one.between_messages == many.between_messages


def test_a_flood_is_slowed_down_to_its_rate() -> None:
    """The burst is free; beyond it every frame costs its share of a second, and quiet time fills the burst again."""
    guard = _guard()
    assert [0, 0.5, 1.5] == [_fed(guard, frame(PING) * count, 0) for count in (20, 5, 10)]
    assert _fed(guard, frame(PING) * 20, 10) == 0


def test_a_flood_without_end_is_a_violation() -> None:
    """It would be read at its rate while anything of it lies in the kernel, long after the client has gone."""
    guard = FrameGuard(FrameLimits(anybody=FrameRate(10, 20), patience_s=30))
    now = 0.0
    with pytest.raises(FrameViolation, match="too fast") as violation:
        while now < 100:
            now += _fed(guard, frame(PING) * 100, now)
    assert 1008 == violation.value.code
    assert 30 < now <= 30 + 10


def test_bursts_with_a_breath_between_are_no_flood() -> None:
    """However long it goes on: who is quiet for a second more than it had to be has begun anew."""
    guard = FrameGuard(FrameLimits(anybody=FrameRate(10, 20), patience_s=30))
    now = 0.0
    while now < 300:
        now += _fed(guard, frame(PING) * 50, now) + 1.1


def test_who_is_trusted_may_send_faster_from_then_on() -> None:
    """What was saved up before stays; an infinite rate is none."""
    guard = FrameGuard(FrameLimits(anybody=FrameRate(10, 20), players=FrameRate(100, 40)))
    assert _fed(guard, frame(PING) * 30, 0) == 1.0
    guard.trust()
    assert [0.0, 0.1] == [_fed(guard, frame(PING) * 40, 1), _fed(guard, frame(PING) * 10, 1)]
    free = FrameGuard(FrameLimits(players=FrameRate(math.inf, math.inf)))
    free.trust()
    assert {0.0} == {_fed(free, frame(PING) * 1000, 0) for _ in range(10)}


@given(st.lists(st.binary(max_size=300), max_size=8), st.data())
def test_frames_are_found_wherever_the_network_cuts(payloads: list[bytes], data: st.DataObject) -> None:
    """The count is the same as if all had come at once."""
    stream = b"".join(frame(TEXT, payload) for payload in payloads)
    guard = FrameGuard(FrameLimits(anybody=FrameRate(1, 0)))
    waits, place = 0.0, 0
    while place < len(stream):
        size = data.draw(st.integers(1, len(stream)))
        waits = max(waits, _fed(guard, stream[place : place + size], 0))
        place += size
    assert waits == len(payloads)


@given(st.binary(max_size=500))
def test_any_bytes_are_counted_or_refused(data: bytes) -> None:
    """Garbage raises nothing else; what it means is wsproto's to judge."""
    guard = FrameGuard()
    try:
        _fed(guard, data, 0)
    except FrameViolation as violation:
        assert violation.code == 1008  # noqa: PT017  # either is right


@given(st.lists(st.binary(max_size=200), max_size=30), st.binary(max_size=5))
def test_a_portion_ends_with_a_frame_and_nothing_is_left_out(payloads: list[bytes], half: bytes) -> None:
    """What is handed on at once is bounded, however small its frames are; the next portion begins with a header."""
    data, guard, portions = b"".join(frame(TEXT, payload) for payload in payloads) + half, FrameGuard(), list[bytes]()
    sent = data
    while data:
        guard.feed(data, 0)
        portions.append(data[: len(data) - guard.left])
        assert guard.between_messages or not guard.left
        data = data[len(portions[-1]) :]
    assert sent == b"".join(portions)
    assert len(portions) <= len(payloads) // PORTION + 1


def _shares(per_s: float, burst: float) -> FrameShares:
    """Of an address, in frames of who has not said who it is."""
    return FrameShares(FrameRate(per_s * UNKNOWN, burst * UNKNOWN))


def test_a_frame_of_somebody_unknown_takes_as_much_as_two_of_players() -> None:
    """Who has an account may use what an address has; a crowd that need not even have one leaves half of it."""
    limits = FrameLimits(shares=FrameShares(FrameRate(10, 0)))
    player, unknown = FrameGuard(limits, "a"), FrameGuard(limits, "b")
    player.trust()
    assert [0.1, 0.2] == [round(guard.feed(frame(PING), 0), 3) for guard in (player, unknown)]


def test_clients_of_one_address_share_what_it_may_send() -> None:
    """However many they are, and whatever each may by itself; nobody else waits for them."""
    limits = FrameLimits(anybody=FrameRate(50, 200), shares=_shares(10, 20))
    one, other, elsewhere, unknown = (FrameGuard(limits, address) for address in ("a", "a", "b", None))
    assert [0.0, 0.5, 1.5] == [
        _fed(guard, frame(PING) * count, 0) for guard, count in ((one, 20), (other, 5), (one, 10))
    ]
    assert [0.0, 0.0] == [_fed(guard, frame(PING) * 20, 0) for guard in (elsewhere, unknown)]


def test_bytes_that_make_no_frame_count_as_one() -> None:
    """Somebody who sends a frame byte by byte is read as often."""
    guard = FrameGuard(FrameLimits(shares=_shares(10, 2)), "a")
    assert [0.0, 0.0, 0.1] == [round(guard.feed(bytes((byte,)), 0), 3) for byte in frame(TEXT, b"abc")[:3]]


def test_a_turn_that_would_come_too_late_is_none() -> None:
    """1013 says when to come back; what was refused takes no time from the others of that address."""
    limits = FrameLimits(patience_s=3, shares=_shares(1, 1))
    guards = [FrameGuard(limits, "a") for _ in range(6)]
    assert [0, 1, 2, 3] == [guard.feed(frame(PING), 0) for guard in guards[:4]]
    for guard in guards[4:]:
        with pytest.raises(FrameViolation, match=r"retryAfter=4\.0") as violation:
            guard.feed(frame(PING), 0)
        assert 1013 == violation.value.code
    assert 3 == guards[0].feed(frame(PING), 1)


def test_who_has_waited_for_turn_after_turn_is_sent_away() -> None:
    """What lies in the kernel would be read for an hour at that rate, and only behind it is seen who has left."""
    limits = FrameLimits(patience_s=30, shares=_shares(1, 0))
    guard, now = FrameGuard(limits, "a"), 0.0
    with pytest.raises(FrameViolation, match=r"retryAfter=8\.0") as violation:
        while now < 100:
            now += guard.feed(frame(PING) * 1000, now)
    assert 1013 == violation.value.code
    assert 30 < now <= 40


def test_who_says_something_now_and_then_beside_a_crowd_waits_and_stays() -> None:
    """For as long as it goes on: only the crowd has something left all the time."""
    limits = FrameLimits(patience_s=30, shares=_shares(1, 0))
    guard = FrameGuard(limits, "a")
    for at in range(0, 300, 10):
        limits.shares.wait_for("a", 5 * UNKNOWN, at)
        assert 6 == guard.feed(frame(PING), at)
