"""Bodies in chunks: nothing that another reader may have understood in another way."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.door.attacks import PLAIN
from tests.door.readings import Reading, ours

CHUNKED = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"

AMBIGUOUS = {
    "a carriage return in an extension": b"3;a\rb\r\nabc\r\n0\r\n\r\n",
    "a NUL in an extension": b"3;a\x00b\r\nabc\r\n0\r\n\r\n",
    "a blank behind the size": b"3 \r\nabc\r\n0\r\n\r\n",
    "a size beyond 64 bits": b"10000000000000003\r\nabc\r\n0\r\n\r\n",
    "an end that is a line feed": b"3\r\nabc\r\n0\r\n\n",
    "trailers that end with line feeds": b"3\r\nabc\r\n0\r\nt: v\n\n",
    "a trailer that ends with a line feed": b"3\r\nabc\r\n0\r\nt: v\n\r\n",
    "a trailer that is folded": b"0\r\nt: v\r\n w\r\n\r\n",
    "a control character in a trailer": b"0\r\nt: \x01\r\n\r\n",
}


@pytest.mark.parametrize("body", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_chunks_of_which_two_readings_are_possible_are_refused(body: bytes) -> None:
    """What follows them would be a request to one reader and a part of the body to the other."""
    data = CHUNKED + body + PLAIN
    assert Reading((), 400) == ours([data])
    assert Reading((), 400) == ours(data[at : at + 1] for at in range(len(data)))


@pytest.mark.parametrize(
    "body",
    [
        b"3\r\nabc\r\n0\r\n\r\n",
        b"0003\r\nabc\r\n00\r\n\r\n",
        b'1\r\na\r\n2;x=y;z="a b"\r\nbc\r\n0;end\r\nt: v\r\nu:\r\n\r\n',
    ],
)
@given(cuts=st.lists(st.integers(0, 150), max_size=5))
def test_chunks_come_in_pieces_and_requests_follow_them(body: bytes, cuts: list[int]) -> None:
    """Wherever they are cut."""
    data = CHUNKED + body + PLAIN
    places = sorted({0, *(cut for cut in cuts if cut < len(data)), len(data)})
    found = ours(data[start:end] for start, end in pairwise(places))
    assert [(b"POST", b"abc"), (b"GET", b"")] == [(each.method, each.body) for each in found.requests]
    assert found.refused is None


@pytest.mark.parametrize("chunk", [b"1\r\na\r\n", b"1;" + b"x" * 100 + b"\r\na\r\n"], ids=["sizes", "extensions"])
def test_a_body_that_is_mostly_frames_is_refused(chunk: bytes) -> None:
    """Each chunk costs the server as much as a whole body; nobody needs many of one byte."""
    assert Reading((), 400) == ours([CHUNKED, *[chunk] * 4_200])


def test_a_small_body_may_come_a_byte_at_a_time() -> None:
    """Programs that write so are slow, not hostile."""
    (found,) = ours([CHUNKED, *[b"1\r\na\r\n"] * 2_000, b"0\r\n\r\n"]).requests
    assert b"a" * 2_000 == found.body
