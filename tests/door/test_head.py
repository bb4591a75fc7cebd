"""Reading the first head."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise

import pytest
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from scoreboard.door.head import HeadReader, HeadRefused, Kind, RequestHead, read_head
from scoreboard.door.limits import DoorLimits
from scoreboard.door.observer import Drop
from tests.door.attacks import NO_REQUESTS, PLAIN

HANDSHAKE = b"GET /ws?a=1 HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\r\n"


def _read(*pieces: bytes) -> RequestHead | None:
    reader, head = HeadReader(DoorLimits()), None
    for piece in pieces:
        assert head is None
        head = reader.feed(piece)
    return head


def test_a_head_is_taken_apart_and_what_lies_behind_it_is_kept() -> None:
    """Raw bytes and rest together are all that was read."""
    head = _read(HANDSHAKE + b"rest")
    assert head is not None
    assert ("GET", "/ws", "a=1", "1.1") == (head.method, head.path, head.query, head.http_version)
    assert ["x"] == head.values("host")
    assert (HANDSHAKE, b"rest") == (head.raw, head.rest)


@given(st.lists(st.integers(1, len(HANDSHAKE)), max_size=8))
def test_a_head_in_pieces_is_the_same_head(cuts: list[int]) -> None:
    """Wherever the network cuts it."""
    places = sorted({0, *cuts, len(HANDSHAKE)})
    pieces = [HANDSHAKE[start:end] for start, end in pairwise(places)]
    assert _read(*pieces) == _read(HANDSHAKE)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_head_or_a_refusal_or_not_enough(data: bytes) -> None:
    """No other error comes out."""
    with suppress(HeadRefused):
        _read(data)


@pytest.mark.parametrize(
    ("request_line", "headers", "kind"),
    [
        (b"GET /", b"connection: upgrade\r\nupgrade: websocket", Kind.WEBSOCKET),
        (b"GET /", b"connection: keep-alive, UPGRADE\r\nupgrade: h2c, WebSocket", Kind.WEBSOCKET),
        (b"GET /", b"upgrade: websocket", Kind.HTTP),
        (b"POST /", b"connection: upgrade\r\nupgrade: websocket", Kind.HTTP),
        (b"GET /", b"connection: upgrade\r\nupgrade: h2c", Kind.HTTP),
        (b"GET /", b"a: b", Kind.HTTP),
    ],
)
def test_only_a_whole_handshake_goes_to_the_live_feed(request_line: bytes, headers: bytes, kind: Kind) -> None:
    """GET, with both headers that RFC 6455 asks for, in any case and beside other tokens."""
    head = _read(request_line + b" HTTP/1.1\r\nhost: x\r\n" + headers + b"\r\n\r\n")
    assert head is not None
    assert head.kind() is kind


@pytest.mark.parametrize("name", ["ten_thousand_headers", "a_huge_header", "an_endless_first_line"])
def test_a_head_beyond_its_bound_is_refused_before_it_ends(name: str) -> None:
    """Not more than the bound and one piece is ever kept."""
    reader, fed = HeadReader(DoorLimits(head_bytes=4096)), 0
    with pytest.raises(HeadRefused) as refused:
        for fed in range(0, 100_000, 1000):
            reader.feed(NO_REQUESTS[name][fed : fed + 1000])
    assert (431, Drop.LARGE_HEAD) == (refused.value.status, refused.value.why)
    assert fed <= 5000


def test_too_many_small_headers_are_refused() -> None:
    """They fit into the bytes, but each costs time on its way through the application."""
    with pytest.raises(HeadRefused) as refused:
        _read(b"GET / HTTP/1.1\r\nhost: x\r\n" + b"a:b\r\n" * 100 + b"\r\n")
    assert refused.value.status == 431


async def test_a_head_that_drips_ends_at_the_deadline(autojump_clock: trio.testing.MockClock) -> None:
    """The deadline is for the whole head: a byte now and then does not move it."""
    begun = trio.current_time()
    near, far = trio.testing.memory_stream_pair()

    async def drip() -> None:
        for byte in PLAIN:
            await far.send_all(bytes([byte]))
            await trio.sleep(1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(drip)
        with pytest.raises(HeadRefused) as refused:
            await read_head(near, DoorLimits(head_within_s=5))
        nursery.cancel_scope.cancel()
    assert (5, 408) == (round(trio.current_time() - begun), refused.value.status)
    assert b"/" == refused.value.target[:1]  # as far as it has come
