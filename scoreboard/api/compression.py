"""Answers as gzip, for clients that take it and where it pays.

Answers to writes are sent as they are: they hold tokens, and what is compressed beside something that a stranger can
choose tells of itself by its length.
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass

from scoreboard.api.answer import JSON, Answer
from scoreboard.api.request import ApiRequest

#: Below this a packet is not filled either way.
LEAST_BYTES = 1024
ENCODED = (b"content-encoding", b"gzip")
VARIES = (b"vary", b"accept-encoding")
_LEVEL = 4  # half the time of the usual 6, for a few per cent more bytes
_MOST = 6  # for what is compressed once, at start
_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # RFC 1952: deflate, no name, no time, of no system
_REFUSED = re.compile(r"q=0(\.0{0,3})?")


@dataclass(frozen=True, slots=True)
class Packed:
    """The beginning of a text, compressed once; each end that is put behind it costs no compression."""

    start: bytes
    checksum: int
    length: int

    @classmethod
    def of(cls, start: bytes) -> Packed:
        """Compress the beginning."""
        deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        raw = deflate.compress(start) + deflate.flush(zlib.Z_SYNC_FLUSH)  # ends with a whole byte
        return cls(_HEAD + raw, zlib.crc32(start), len(start))

    def ending(self, end: bytes) -> bytes:
        """The whole as gzip. `end` has at most 65,535 bytes and is stored as it is: RFC 1951, 3.2.4."""
        stored = struct.pack("<BHH", 1, len(end), len(end) ^ 0xFFFF) + end
        total = (self.length + len(end)) & 0xFFFFFFFF
        return self.start + stored + struct.pack("<II", zlib.crc32(end, self.checksum), total)


def packed(content: bytes) -> bytes:
    """All of it as gzip, as small as it gets. Blocks; for what is made at start."""
    return _gzip(content, _MOST)


def encoded(answer: Answer, request: ApiRequest) -> Answer:
    """The answer as the client takes it best."""
    if answer.packed is None and (
        len(answer.body) < LEAST_BYTES or JSON not in answer.headers or request.method not in ("GET", "HEAD")
    ):
        return answer
    if not accepts_gzip(request):
        return Answer(answer.status, answer.body, (*answer.headers, VARIES))
    body = _gzip(answer.body, _LEVEL) if answer.packed is None else answer.packed()
    return Answer(answer.status, body, (*answer.headers, ENCODED, VARIES))


def accepts_gzip(request: ApiRequest) -> bool:
    """Whether `Accept-Encoding` names gzip, and does not give it no weight at all."""
    for value in request.header_values(b"accept-encoding"):
        for each in value.lower().split(","):
            name, _, weight = each.partition(";")
            if name.strip() in ("gzip", "x-gzip"):
                return not _REFUSED.fullmatch(weight.replace(" ", ""))
    return False


def _gzip(content: bytes, level: int) -> bytes:
    deflate = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    raw = deflate.compress(content) + deflate.flush()
    return _HEAD + raw + struct.pack("<II", zlib.crc32(content), len(content) & 0xFFFFFFFF)
