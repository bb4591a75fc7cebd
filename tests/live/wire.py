"""What a client puts on the wire, frame by frame, so that it can also be wrong."""

from __future__ import annotations

import os
import struct

from wsproto.frame_protocol import XorMaskerSimple

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True) -> bytes:
    """One frame of a client, masked."""
    mask = os.urandom(4)
    size = len(payload)
    if size < 126:
        length = bytes((0x80 | size,))
    elif size < 65_536:
        length = bytes((0x80 | 126,)) + struct.pack("!H", size)
    else:
        length = bytes((0x80 | 127,)) + struct.pack("!Q", size)
    return bytes(((0x80 if fin else 0) | opcode,)) + length + mask + XorMaskerSimple(mask).process(bytearray(payload))


def text(message: str) -> bytes:
    """A text message in one frame."""
    return frame(TEXT, message.encode())


def handshake(path: str = "/ws/leaderboard", **headers: str) -> bytes:
    """The request that asks for a WebSocket; a header given as an empty text is left out."""
    fields = {
        "host": "x",
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": KEY,
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items() if value), "", ""]
    return "\r\n".join(lines).encode("latin-1")
