"""The least of HTTP/1.1 and WebSocket that a cheap client needs. Pure functions on bytes."""

from __future__ import annotations

import struct
from collections.abc import Iterator

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
_NO_MASK = b"\0\0\0\0"  # a client must mask; with zeros the bytes stay as they are


class Malformed(Exception):
    """The server sent something that these clients do not expect."""


def request(method: str, path: str, token: str | None, body: bytes = b"", headers: str = "") -> bytes:
    """A whole request on a connection that is kept."""
    lines = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    if token is not None:
        lines += f"Authorization: Bearer {token}\r\n"
    if body or method == "POST":
        lines += f"Content-Length: {len(body)}\r\n"
    if body:
        lines += "Content-Type: application/json\r\n"
    return f"{lines}{headers}\r\n".encode() + body


def answer(data: bytes) -> tuple[int, bytes, int] | None:
    """Status, body and length of the first answer in `data`; None while it is not whole. It must tell its length."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = data[:end].lower()
    at = head.find(b"\r\ncontent-length:")
    if at < 0:
        raise Malformed(f"an answer without a length: {head[:200]!r}")
    stop = head.find(b"\r\n", at + 2)
    size = int(head[at + 17 : stop if stop >= 0 else None])
    whole = end + 4 + size
    return (int(data[9:12]), data[end + 4 : whole], whole) if len(data) >= whole else None


def text_frame(payload: bytes) -> bytes:
    """A client's text frame of less than 64 KiB."""
    size = len(payload)
    length = bytes((0x80 | size,)) if size < 126 else bytes((0x80 | 126,)) + size.to_bytes(2, "big")
    return bytes((0x80 | TEXT,)) + length + _NO_MASK + payload


def pong_frame(payload: bytes) -> bytes:
    """The answer to a ping."""
    return bytes((0x80 | PONG, 0x80 | len(payload))) + _NO_MASK + payload


def frames(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Opcode, start and end of the payload of each whole frame of a server; the last end is where to go on."""
    at, size = 0, len(data)
    while at + 2 <= size:
        length, start = data[at + 1], at + 2
        if length == 126:
            start += 2
            if start > size:
                return
            (length,) = struct.unpack_from(">H", data, at + 2)
        elif length == 127:
            start += 8
            if start > size:
                return
            (length,) = struct.unpack_from(">Q", data, at + 2)
        if start + length > size:
            return
        yield data[at] & 0x0F, start, start + length
        at = start + length
