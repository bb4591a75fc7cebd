"""The load generators' own reading of HTTP and WebSocket: a generator that misreads would measure nonsense."""

from __future__ import annotations

import pytest

from tests.bench.wire import CLOSE, PING, TEXT, Malformed, answer, frames, pong_frame, request, text_frame

ANSWER = b"HTTP/1.1 200 \r\nContent-Type: application/json\r\nContent-Length: 2\r\nDate: x\r\n\r\n{}"
SHORT, LONG, HUGE = b"a" * 125, b"b" * 126, b"c" * 65_536
FRAMES = (
    bytes((0x81, 125)) + SHORT,
    bytes((0x81, 126)) + (126).to_bytes(2, "big") + LONG,
    bytes((0x81, 127)) + (65_536).to_bytes(8, "big") + HUGE,
    bytes((0x89, 0)),
    bytes((0x88, 2)) + b"\x03\xe9",
)


def test_an_answer_is_read_when_it_is_whole() -> None:
    """Whatever part of it has come: nothing before the last byte, and what follows is left alone."""
    assert [None] * len(ANSWER) == [answer(ANSWER[:size]) for size in range(len(ANSWER))]
    assert (200, b"{}", len(ANSWER)) == answer(ANSWER + b"HTTP/1.1 4")


def test_an_answer_without_a_length_is_no_answer() -> None:
    """A generator that guessed would count wrongly."""
    with pytest.raises(Malformed):
        answer(b"HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n")


def test_whole_frames_are_found_wherever_the_bytes_are_cut() -> None:
    """Every size of length field, and only frames that are whole."""
    data = b"".join(FRAMES)
    found = [(opcode, data[start:end]) for opcode, start, end in frames(data)]
    assert [(TEXT, SHORT), (TEXT, LONG), (TEXT, HUGE), (PING, b""), (CLOSE, b"\x03\xe9")] == found
    ends = [sum(map(len, FRAMES[: count + 1])) for count in range(len(FRAMES))]
    for size in [*range(260), len(data) - 1]:
        assert sum(end <= size for end in ends) == len(list(frames(data[:size])))


def test_a_client_masks_its_frames() -> None:
    """With zeros, which leaves the payload as it is."""
    assert b"\x81\x82\0\0\0\0hi" == text_frame(b"hi")
    assert b"\x81\xfe\x00\x7e\0\0\0\0" + LONG == text_frame(LONG)
    assert b"\x8a\x80\0\0\0\0" == pong_frame(b"")


def test_a_request_tells_the_length_of_its_body() -> None:
    """Also when there is none, for methods that may have one."""
    assert b"\r\nContent-Length: 0\r\n" in request("POST", "/x", "token")
    assert b"Content-Length" not in request("GET", "/x", None)
    assert request("POST", "/x", None, b"{}").endswith(b"Content-Type: application/json\r\n\r\n{}")
