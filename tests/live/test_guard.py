"""Counting what a limit on size does not see."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoreboard.live.guard import FrameGuard, FrameLimits, FrameRate, FrameViolation
from tests.live.wire import BINARY, CONTINUATION, PING, TEXT, frame


def _guard() -> FrameGuard:
    return FrameGuard(FrameLimits(fragments=4, anybody=FrameRate(10, 20)))


def test_endless_empty_fragments_are_a_violation() -> None:
    """They add nothing to the size of the message, but each stays in memory."""
    guard = _guard()
    guard.feed(frame(TEXT, fin=False) + frame(CONTINUATION, fin=False) * 3, 0)
    with pytest.raises(FrameViolation, match="fragments") as violation:
        guard.feed(frame(CONTINUATION, fin=False), 0)
    assert violation.value.code == 1008


def test_whole_messages_and_pings_between_fragments_do_not_count_as_fragments() -> None:
    """A message that ends begins the count anew, and control frames may stand inside of one."""
    guard = _guard()
    message = (
        frame(BINARY, b"a", fin=False) + frame(PING) + frame(CONTINUATION, b"b" * 70_000) + frame(TEXT, b"c" * 200)
    )
    for at in range(20):
        guard.feed(message, at)


#: Named, because a frame has a random mask, and two processes must give its test one name.
BEHIND = {"nothing": b"", "a ping": frame(PING), "the beginning of a text": frame(TEXT, b"x", fin=False)}


@pytest.mark.parametrize("size", [0, 1, 125, 126, 300, 65_535, 65_536])
@pytest.mark.parametrize("behind", BEHIND.values(), ids=BEHIND)
def test_a_message_in_one_piece_counts_as_one_in_many(size: int, behind: bytes) -> None:
    """With whatever follows it, and what a half one before it has begun goes on."""
    one, many = _guard(), _guard()
    piece = frame(TEXT, b"x" * size) + behind
    for _ in range(3):
        whole = one.feed(piece, 0)
        assert whole == max(many.feed(bytes((byte,)), 0) for byte in piece)
        assert one.between_messages == many.between_messages
    halved = frame(TEXT, frame(TEXT, b"abc"))  # within a message nothing is a header
    for guard in (one, many):
        guard.feed(halved[:-9], 0)
        guard.feed(halved[-9:], 0)
    assert one.between_messages == many.between_messages


def test_a_flood_is_slowed_down_to_its_rate() -> None:
    """The burst is free; beyond it every frame costs its share of a second, and quiet time fills the burst again."""
    guard = _guard()
    assert [0, 0.5, 1.5] == [guard.feed(frame(PING) * count, 0) for count in (20, 5, 10)]
    assert guard.feed(frame(PING) * 20, 10) == 0


def test_a_flood_without_end_is_a_violation() -> None:
    """It would be read at its rate while anything of it lies in the kernel, long after the client has gone."""
    guard = FrameGuard(FrameLimits(anybody=FrameRate(10, 20), patience_s=30))
    now = 0.0
    with pytest.raises(FrameViolation, match="too fast") as violation:
        while now < 100:
            now += guard.feed(frame(PING) * 100, now)
    assert 1008 == violation.value.code
    assert 30 < now <= 30 + 10


def test_bursts_with_a_breath_between_are_no_flood() -> None:
    """However long it goes on: who is quiet for a second more than it had to be has begun anew."""
    guard = FrameGuard(FrameLimits(anybody=FrameRate(10, 20), patience_s=30))
    now = 0.0
    while now < 300:
        now += guard.feed(frame(PING) * 50, now) + 1.1


def test_who_is_trusted_may_send_faster_from_then_on() -> None:
    """What was saved up before stays; an infinite rate is none."""
    guard = FrameGuard(FrameLimits(anybody=FrameRate(10, 20), players=FrameRate(100, 40)))
    assert guard.feed(frame(PING) * 30, 0) == 1.0
    guard.trust()
    assert [0.0, 0.1] == [guard.feed(frame(PING) * 40, 1), guard.feed(frame(PING) * 10, 1)]
    free = FrameGuard(FrameLimits(players=FrameRate(math.inf, math.inf)))
    free.trust()
    assert {0.0} == {free.feed(frame(PING) * 1000, 0) for _ in range(10)}


@given(st.lists(st.binary(max_size=300), max_size=8), st.data())
def test_frames_are_found_wherever_the_network_cuts(payloads: list[bytes], data: st.DataObject) -> None:
    """The count is the same as if all had come at once."""
    stream = b"".join(frame(TEXT, payload) for payload in payloads)
    guard = FrameGuard(FrameLimits(anybody=FrameRate(1, 0)))
    waits, place = 0.0, 0
    while place < len(stream):
        size = data.draw(st.integers(1, len(stream)))
        waits = max(waits, guard.feed(stream[place : place + size], 0))
        place += size
    assert waits == len(payloads)


@given(st.binary(max_size=500))
def test_any_bytes_are_counted_or_refused(data: bytes) -> None:
    """Garbage raises nothing else; what it means is wsproto's to judge."""
    guard = FrameGuard()
    try:
        guard.feed(data, 0)
    except FrameViolation as violation:
        assert violation.code == 1008  # noqa: PT017  # either is right
