"""Requests out of bytes: whatever passes here, h11 reads in the same way; what h11 alone would let pass is named."""

from __future__ import annotations

import gc
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scoreboard.door.limits import DoorLimits
from scoreboard.door.parser import HeadError, HeadParser, parse
from tests.door.attacks import NO_REQUESTS, PLAIN
from tests.door.readings import of_h11, ours

POST = b"POST / HTTP/1.1\r\nhost: x\r\n"

# --- requests of all sorts, most of them a little wrong ---


def mostly(*usual: bytes, else_: list[bytes]) -> st.SearchStrategy[bytes]:
    """One of the usual ones in nine of ten cases, because a head has many parts and one wrong one is enough."""
    return st.integers(0, 9).flatmap(lambda at: st.sampled_from(else_ if at == 0 else usual))


mostly_crlf = mostly(b"\r\n", else_=[b"\r\n"] * 3 + [b"\n", b"\r", b"\r\r\n", b"\n\r\n", b" \r\n", b""])
methods = mostly(b"GET", b"POST", b"HEAD", else_=[b"CONNECT", b"get", b"M-SEARCH", b"BREW", b"G T", b""])
targets = mostly(
    b"/", b"/a?b=c#d", b"/%zz", else_=[b"*", b"http://x/", b"//", b"/\x7f", b"/a b", b"/\xff", b"x:1", b""]
)
versions = mostly(b"HTTP/1.1", b"HTTP/1.0", else_=[b"HTTP/2.0", b"HTTP/1.2", b"http/1.1", b"HTTP/1.1 ", b""])
blanks = mostly(b" ", else_=[b" ", b"  ", b"\t", b""])
framing = [b"Content-Length", b"Transfer-Encoding", b"Connection", b"Expect", b"Upgrade"]
names = mostly(b"A", b"Content-Length", b"Transfer-Encoding", else_=[*framing, b"Host", b"a b", b"\xe9", b""])
LENGTHS = [b"0", b"3", b"03", b"+3", b"3, 3", b"3,4", b"99999999999999999999", b"0" * 30]
CODINGS = [b"chunked", b"Chunked", b"gzip, chunked", b"chunked;q=1", b"identity"]
WISHES = [b"close", b"keep-alive, Close", b"upgrade", b"100-continue", b"websocket", b"h2c"]
ODDITIES = [b"x", b"", b"  x \t", b"a\x00b", b"a\x01b", b"a\x0bb", b"a\x7fb", b"\xff", b"a\rb", b"a\r\n b"]
values = mostly(b"3", b"0", b"chunked", b"Chunked", b"x", else_=[*LENGTHS, *CODINGS, *WISHES, *ODDITIES])
colons = mostly(b": ", b":", else_=[b" : ", b":\t", b"", b"\t:"])
lines = st.builds(lambda *parts: b"".join(parts), methods, blanks, targets, blanks, versions, mostly_crlf)
fields = st.builds(lambda *parts: b"".join(parts), names, colons, values, mostly_crlf)
chunks = st.sampled_from(
    [
        b"",
        b"abc",
        b"0\r\n\r\n",
        b"3\r\nabc\r\n0\r\n\r\n",
        b"3\nabc\n0\n\n",
        b"3;x=y\r\nabc\r\n0\r\nt: v\r\n\r\n",
        b"3\r\nabcd\r\n0\r\n\r\n",
        b"-3\r\nabc\r\n",
        b"0x3\r\nabc\r\n0\r\n\r\n",
        b"3 \r\nabc\r\n0\r\n\r\n",
        b"\r\n",
    ]
)
hosts = mostly(b"host: x\r\n", else_=[b""])
requests = st.builds(
    lambda line, host, found, end, body: line + host + b"".join(found) + end + body,
    lines,
    hosts,
    st.lists(fields, max_size=3),
    mostly_crlf,
    chunks,
)


@st.composite
def connections(draw: st.DrawFn) -> bytes:
    """A few requests, some with one byte put in, taken out or changed."""
    data = bytearray(b"".join(draw(st.lists(requests, min_size=1, max_size=3))))
    for at in draw(st.lists(st.integers(0, max(len(data) - 1, 0)), max_size=1)):
        data[at : at + draw(st.integers(0, 1))] = draw(st.binary(max_size=1))
    return bytes(data)


@settings(max_examples=600)
@given(connections())
@example(POST + b"content-length: 3\r\n\r\nabc" + PLAIN)
@example(POST + b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" + PLAIN)
@example(PLAIN.replace(b"1.1", b"1.0") + PLAIN)
def test_whatever_passes_is_read_by_h11_in_the_same_way(data: bytes) -> None:
    """Method, target, version, fields and body of each request up to the first that is refused here."""
    mine, theirs = ours([data]), of_h11(data)
    assert _plain(theirs.requests[: len(mine.requests)]) == _plain(mine.requests)


def _plain(found: tuple[object, ...]) -> str:
    return repr(found).replace("Chunked", "chunked")  # h11 writes this value in lower case


@settings(max_examples=300)
@given(connections(), st.lists(st.integers(0, 400), max_size=6))
def test_requests_in_pieces_are_the_same_requests(data: bytes, cuts: list[int]) -> None:
    """Wherever the network cuts them; and what is refused in one piece is refused in many."""
    places = sorted({0, *(cut for cut in cuts if cut < len(data)), len(data)})
    whole, pieces = ours([data]), ours(data[start:end] for start, end in pairwise(places))
    assert whole.requests == pieces.requests
    assert (whole.refused is None) == (pieces.refused is None)


# --- what h11 lets pass and the door does not ---

STRICTER = {
    "a line that ends without a carriage return": b"GET / HTTP/1.1\nhost: x\n\n",
    "a field that is folded": b"GET / HTTP/1.1\r\nhost: x\r\na: b\r\n c\r\n\r\n",
    "a control character in a value": b"GET / HTTP/1.1\r\nhost: x\r\na: \x01\r\n\r\n",
    "a DEL in a value": b"GET / HTTP/1.1\r\nhost: x\r\na: \x7f\r\n\r\n",
    "the same length twice": POST + b"content-length: 1\r\ncontent-length: 1\r\n\r\nx",
    "the same length twice in one field": POST + b"content-length: 1, 1\r\n\r\nx",
    "a length beside chunks": POST + b"content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": b"POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "a length beyond 64 bits": POST + b"content-length: 99999999999999999999\r\n\r\n",
}


@pytest.mark.parametrize("name", STRICTER)
def test_the_door_is_stricter_where_two_readings_are_possible(name: str) -> None:
    """All that h11 accepts and we refuse, each with 400 and the end of the connection."""
    assert of_h11(STRICTER[name]).refused is None
    assert ((), 400) == (ours([STRICTER[name]]).requests, ours([STRICTER[name]]).refused)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET / HTTP/2.0\r\nhost: x\r\n\r\n", 505),
        (b"GET / HTTP/1.2\r\nhost: x\r\n\r\n", 505),
        (POST + b"transfer-encoding: gzip\r\n\r\n", 400),
        (POST + b"transfer-encoding: gzip, chunked\r\n\r\n", 501),
        (POST + b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n", 400),
        (POST + b"content-length: " + b"0" * 21 + b"\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nhost: x\r\nhost: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"\r\nGET / HTTP/1.1\r\nhost: x\r\n\r\n", 400),
        (b"GET  / HTTP/1.1\r\nhost: x\r\n\r\n", 400),
        (b"GET / RTSP/1.0\r\nhost: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nhost : x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nhost: x\r\n" + b"a: b\r\n" * 100 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nhost: x\r\na: " + b"b" * 16_384 + b"\r\n\r\n", 431),
    ],
)
def test_a_refusal_says_what_is_wrong(head: bytes, status: int) -> None:
    """With the status that programs look at."""
    assert ((), status) == (ours([head]).requests, ours([head]).refused)


@pytest.mark.parametrize("beginning", [b"\r", b"\n", b"\x16\x03", b"GET\t", b"GET /\xff", b"GET / FTP", b"G\x00", b" "])
def test_what_cannot_become_a_request_is_refused_at_once(beginning: bytes) -> None:
    """Who sends it may wait for an answer before saying more."""
    assert ours([beginning]).refused == 400


@pytest.mark.parametrize("beginning", [b"GET /\r\n", b"GET / HTTP/1.1\r\nhost : x\r\n", b"GET / HTTP/1.1\r\na: b\n"])
def test_a_wrong_line_is_refused_at_its_end(beginning: bytes) -> None:
    """Without waiting for the end of the head."""
    assert ours([beginning]).refused == 400


def test_a_head_as_large_as_its_bound_is_read() -> None:
    """And one byte more is not."""
    for more, refused in ((0, None), (1, 431)):
        room = DoorLimits().head_bytes - len(PLAIN) - len(b"a: \r\n") + more
        head = PLAIN.replace(b"\r\n\r\n", b"\r\na: " + b"b" * room + b"\r\n\r\n")
        assert refused == ours([head]).refused
        assert refused == ours(head[at : at + 1] for at in range(len(head))).refused


@pytest.mark.parametrize("data", NO_REQUESTS.values(), ids=NO_REQUESTS)
def test_no_more_is_kept_than_the_bound_and_one_piece(data: bytes) -> None:
    """However much is sent."""
    received, most = HeadParser(DoorLimits()), 0
    with pytest.raises(HeadError):
        for at in range(0, len(data), 1000):
            received.feed(data[at : at + 1000])
            most = max(most, len(received))
            while (head := received.next_head()) and head.target.startswith(b"/") and head.method != b"POST":
                pass
            if head is not None:
                raise HeadError(400, "for what only the connection refuses")
    assert most <= DoorLimits().head_bytes + 1000


def test_a_head_leaves_nothing_for_the_collector() -> None:
    """It runs seldom, and looks at all there is when it does."""
    gc.collect()
    parse(PLAIN, 100)
    received = HeadParser(DoorLimits())
    for at in range(len(PLAIN)):
        received.feed(PLAIN[at : at + 1])
        received.next_head()
    assert 0 == gc.collect()


# --- the whole address in place of a path ---


@pytest.mark.parametrize(
    ("target", "path"),
    [(b"http://x/a?b=c", b"/a?b=c"), (b"https://x/", b"/"), (b"HTTP://X", b"/"), (b"http://x?b", b"/?b")],
)
def test_a_whole_address_is_read_as_its_path(target: bytes, path: bytes) -> None:
    """RFC 9112 asks it of every server, although only clients of proxies send one."""
    found = ours([b"GET %b HTTP/1.1\r\nhost: x\r\n\r\n" % target])
    assert [path] == [each.target for each in found.requests]


def test_an_address_tells_the_host_where_no_field_does() -> None:
    """In HTTP/1.0, where the field may be missing; who looks for the host finds it there."""
    (found,) = ours([b"GET http://x:8/ HTTP/1.0\r\na: b\r\n\r\n"]).requests
    assert ((b"a", b"b"), (b"host", b"x:8")) == found.fields


@pytest.mark.parametrize(
    "target", [b"http://y/", b"http://x:81/", b"http://u@x/", b"http:///", b"http://[", b"http://"]
)
def test_an_address_of_another_host_than_the_field_is_refused(target: bytes) -> None:
    """Who stands in front may have taken either of them for the host; and what is no address is no target."""
    assert 400 == ours([b"GET %b HTTP/1.1\r\nhost: x\r\n\r\n" % target]).refused
