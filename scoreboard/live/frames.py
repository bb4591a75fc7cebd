"""WebSocket frames from server to client (RFC 6455, section 5.2): one whole message each, never masked."""

from __future__ import annotations

import struct

_FIN_TEXT, _FIN_CLOSE, _FIN_PING = b"\x81", b"\x88", b"\x89"
_LONGEST_7_BIT = 125
_LONGEST_16_BIT = 0xFFFF

PING = _FIN_PING + b"\x00"

_NEVER_SENT = {1005, 1006, 1015}  # they stand for "no code" and are not allowed on the wire


def text_frame(payload: bytes) -> bytes:
    """One text message; `payload` must be UTF-8."""
    size = len(payload)
    if size <= _LONGEST_7_BIT:
        return _FIN_TEXT + bytes((size,)) + payload
    if size <= _LONGEST_16_BIT:
        return _FIN_TEXT + b"\x7e" + struct.pack("!H", size) + payload
    return _FIN_TEXT + b"\x7f" + struct.pack("!Q", size) + payload


def close_frame(code: int, reason: str = "") -> bytes:
    """The last frame of a connection; a reason that does not fit is cut."""
    if code in _NEVER_SENT:
        return _FIN_CLOSE + b"\x00"
    payload = struct.pack("!H", code) + _cut(reason.encode(), _LONGEST_7_BIT - 2)
    return _FIN_CLOSE + bytes((len(payload),)) + payload


def is_close(frame: bytes | bytearray | memoryview) -> bool:
    """Whether these bytes begin with a close frame."""
    return bytes(frame[:1]) == _FIN_CLOSE


def _cut(text: bytes, size: int) -> bytes:
    return text[:size].decode("utf-8", errors="ignore").encode()


def texts_in(frames: bytes) -> list[str]:
    """The messages of frames that `text_frame` made, whole and in order."""
    texts, place = [], 0
    while place < len(frames):
        size, start = frames[place + 1], place + 2
        if size > _LONGEST_7_BIT:
            wide = 2 if size == _LONGEST_7_BIT + 1 else 8
            size, start = int.from_bytes(frames[start : start + wide], "big"), start + wide
        place = start + size
        texts.append(frames[start:place].decode())
    return texts
