"""Ten thousand ways to be wrong: what good clients send, changed a little, or beyond recognition. Pure.

A case is made from its number alone, so any of them can be sent again: ``python -m tests.edge --case NUMBER``.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.edge.valid import FRAMES, PACKETS, REQUESTS, WEBSOCKET, Pieces

CASES = 10_000
_NUMBER = re.compile(rb"\d+")
_TOKEN = re.compile(rb"[A-Za-z-]{2,}")
_NUMBERS = (
    b"0",
    b"-1",
    b"1",
    b"2147483648",
    b"18446744073709551616",
    b"9" * 40,
    b"1e9",
    b"0x10",
    b"+5",
    b" 5",
    b"5,5",
    b"",
)
_PIECES = (
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\n\r\n",
    b"\0",
    b"\xff",
    b" ",
    b"\t",
    b":",
    b",",
    b";",
    b"%",
    b"%00",
    b"\xc3\x28",
    b"\r\n x: y",
)
_FIELDS = (
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip, chunked",
    b"Content-Length: 5",
    b"Content-Length: 18446744073709551617",
    b"Expect: 100-continue",
    b"Expect: 200-ok",
    b"Upgrade: websocket",
    b"Connection: upgrade",
    b"Connection: close, keep-alive",
    b"Host: y",
    b"Content-Encoding: gzip",
    b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
    b"X-Forwarded-For: 1.2.3.4",
    b'Forwarded: for="_x"',
    b"Idempotency-Key: \xe4",
    b"Range: bytes=0-,-1",
    b"If-None-Match: *",
    b"Origin: null",
    b"Authorization: Bearer " + b"a." * 500,
    b"X-Request-ID: " + b"\\x" * 200,
    b"Accept-Encoding: " + b"gzip;q=0," * 300,
)


@dataclass(frozen=True, slots=True)
class Case:
    """What one client sends. `upgraded`: it begins with a good handshake of a WebSocket, and the rest is frames."""

    number: int
    sent: bytes
    upgraded: bool


def case(number: int) -> Case:
    """The case of that number."""
    rng = random.Random(number)
    if rng.random() < 0.35:
        path, frames = rng.choice(
            ((b"/ws/leaderboard", FRAMES), (b"/ws", FRAMES), (b"/socket.io/?EIO=4&transport=websocket", PACKETS))
        )
        said = b"".join(rng.choice(frames) for _ in range(rng.randint(1, 4)))
        return Case(number, WEBSOCKET % path + _mutated(rng, said, _BYTES), upgraded=True)
    pieces = _request(rng)
    sent = b"".join(pieces) if rng.random() < 0.8 else b"".join(rng.sample(pieces, len(pieces)))
    return Case(number, _mutated(rng, sent, _BYTES + _WORDS), upgraded=False)


def _request(rng: random.Random) -> Pieces:
    if rng.random() < 0.1:
        return (WEBSOCKET % b"/ws/leaderboard", rng.choice(FRAMES))
    return rng.choice(REQUESTS)


def _mutated(rng: random.Random, data: bytes, ways: Sequence[Callable[[random.Random, bytes], bytes]]) -> bytes:
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5))):
        data = rng.choice(ways)(rng, data)
    return data


# --- what does not look at what it changes ---


def _flip(rng: random.Random, data: bytes) -> bytes:
    """A bit or a few."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8))):
        if changed:
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _cut(rng: random.Random, data: bytes) -> bytes:
    """The end is missing."""
    return data[: rng.randint(0, len(data))]


def _lose(rng: random.Random, data: bytes) -> bytes:
    """A part in the middle is."""
    begin, end = _span(rng, data)
    return data[:begin] + data[end:]


def _double(rng: random.Random, data: bytes) -> bytes:
    """A part comes again, and again."""
    begin, end = _span(rng, data)
    return data[:end] + data[begin:end] * rng.choice((1, 1, 2, 40)) + data[end:]


def _insert(rng: random.Random, data: bytes) -> bytes:
    """What ends lines and numbers where none should end, or noise."""
    at = rng.randint(0, len(data))
    piece = rng.choice(_PIECES) if rng.random() < 0.8 else rng.randbytes(rng.randint(1, 300))
    return data[:at] + piece + data[at:]


def _follow(rng: random.Random, data: bytes) -> bytes:
    """Something good comes behind it."""
    return data + b"".join(rng.choice(REQUESTS)) * rng.choice((1, 1, 20))


# --- what does ---


def _number(rng: random.Random, data: bytes) -> bytes:
    """A length, a version, a limit."""
    return _exchanged(rng, data, _NUMBER, rng.choice(_NUMBERS))


def _word(rng: random.Random, data: bytes) -> bytes:
    """A method, the name of a field, a value."""
    return _exchanged(rng, data, _TOKEN, rng.choice((b"", b"x" * 5_000, b"\xe4", b"CONNECT", b"chunked", b"PRI")))


def _field(rng: random.Random, data: bytes) -> bytes:
    """One more field, or many of them."""
    lines = data.split(b"\r\n")
    lines[1:1] = [rng.choice(_FIELDS)] * rng.choice((1, 1, 1, 2, 101))
    return b"\r\n".join(lines)


def _fold(rng: random.Random, data: bytes) -> bytes:
    """A line goes on in the next one, or lines change places."""
    lines = data.split(b"\r\n")
    at = rng.randrange(len(lines))
    if rng.random() < 0.5:
        lines[at] = rng.choice((b" ", b"\t")) + lines[at]
    else:
        other = rng.randrange(len(lines))
        lines[at], lines[other] = lines[other], lines[at]
    return b"\r\n".join(lines)


def _exchanged(rng: random.Random, data: bytes, what: re.Pattern[bytes], by: bytes) -> bytes:
    found = list(what.finditer(data))
    if not found:
        return data
    begin, end = rng.choice(found).span()
    return data[:begin] + by + data[end:]


def _span(rng: random.Random, data: bytes) -> tuple[int, int]:
    begin = rng.randint(0, len(data))
    return begin, rng.randint(begin, min(len(data), begin + rng.choice((4, 64, 100_000))))


_BYTES = (_flip, _flip, _cut, _lose, _double, _insert, _follow)
_WORDS = (_number, _number, _word, _field, _field, _fold)
