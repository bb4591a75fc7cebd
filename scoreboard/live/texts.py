"""The short way for what games send many times a second: whole, small text messages, read without a state machine."""

from __future__ import annotations

_FIN_TEXT = 0x81
_FIN_PONG = 0x8A
_TAKEN = (_FIN_TEXT, _FIN_PONG)
_MASKED = 0x80
_SHORT, _LONG = 125, 126
_MASK = 4


def whole_texts(data: bytes) -> list[str] | None:
    """The messages in these bytes of a client, if they are nothing but pongs and whole text frames of one message each.

    None for all else (fragments, other control frames, half frames, what breaks the protocol): wsproto judges that. The
    bytes must begin where a message does. Pongs tell nothing beyond that something came.
    """
    texts, at = [], 0
    while at < len(data):
        place = _payload_of(data, at)
        if place is None:
            return None
        opcode, (start, at) = data[at], place
        if opcode == _FIN_PONG:
            continue
        try:
            texts.append(unmasked(data[start:at], data[start - _MASK : start]).decode())
        except UnicodeDecodeError:
            return None
    return texts


def _payload_of(data: bytes, at: int) -> tuple[int, int] | None:
    """Where the payload of the frame at `at` starts and ends."""
    if at + 2 + _MASK > len(data) or data[at] not in _TAKEN:
        return None
    size, start = data[at + 1] - _MASKED, at + 2 + _MASK
    if size == _LONG and data[at] == _FIN_TEXT:
        size, start = int.from_bytes(data[at + 2 : at + 4], "big"), start + 2
        if size <= _SHORT:
            return None  # it should have been written shorter
    elif not 0 <= size <= _SHORT:
        return None
    return (start, start + size) if start + size <= len(data) else None


def unmasked(payload: bytes, mask: bytes) -> bytes:
    """The payload as it was before it was masked (RFC 6455, section 5.3)."""
    size = len(payload)
    key = (mask * (size // _MASK + 1))[:size]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(key, "little")).to_bytes(size, "little")
