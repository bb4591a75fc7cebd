"""Looks at the frame headers that a client sends, before trio-websocket does: what its size limit does not see.

A message may come in any number of frames, and empty ones count nothing against a limit on size; a ping costs us a
pong. So both are counted here. Synchronous, no socket.
"""

from __future__ import annotations

import math

_FIN = 0x80
_OPCODE = 0x0F
_CONTROL = 0x08
_MASKED = 0x80
_SIZE = 0x7F
_LONGER_SIZE = {126: 2, 127: 8}


class FrameViolation(Exception):
    """The client sent what it may not; `code` is the close code that says so."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class FrameGuard:
    """Bounds the frames of a message, and the rate of all frames.

    Args:
        fragments: Frames that one message may come in.
        per_s: Frames a second, in the long run, of any kind.
        burst: Frames at once.
        patience_s: For a client that sends faster without a break. What it has sent lies in the kernel for as long as
            it takes to read that at the rate, a quarter hour perhaps, and whether it has left is seen only behind it.
    """

    def __init__(self, *, fragments: int = 64, per_s: float = 50, burst: float = 200, patience_s: float = 30) -> None:
        self._most_fragments = fragments
        self._per_s = per_s
        self._burst = burst
        self._allowance = burst
        self._filled_at = 0.0
        self._patience_s = patience_s
        self._pressed_since = math.inf
        self._fragments = 0
        self._header = bytearray()
        self._payload_left = 0

    def feed(self, data: bytes, now: float) -> float:
        """Look at the next bytes; returns how many seconds to wait before they are handled.

        Raises:
            FrameViolation: the connection should be closed.
        """
        frames, place = 0, 0
        while place < len(data):
            if self._payload_left:
                passed = min(self._payload_left, len(data) - place)
                self._payload_left -= passed
                place += passed
                continue
            self._header.append(data[place])
            place += 1
            if len(self._header) == header_size(self._header):
                self._begin_frame()
                frames += 1
        return self._wait_for(frames, now)

    def _begin_frame(self) -> None:
        first, self._payload_left = self._header[0], payload_size(self._header)
        self._header.clear()
        if first & _CONTROL:
            return
        self._fragments = self._fragments + 1 if not first & _OPCODE else 1
        if self._fragments > self._most_fragments:
            raise FrameViolation(1008, "A message may not come in so many fragments.")
        if first & _FIN:
            self._fragments = 0

    def _wait_for(self, frames: int, now: float) -> float:
        allowance = min(self._burst, self._allowance + (now - self._filled_at) * self._per_s)
        if allowance >= min(self._per_s, self._burst):  # quiet for a second more than it had to be
            self._pressed_since = math.inf
        self._allowance = allowance - frames
        self._filled_at = now
        if self._allowance >= 0:
            return 0.0
        self._pressed_since = min(self._pressed_since, now)
        if now - self._pressed_since > self._patience_s:
            raise FrameViolation(1008, "Frames came too fast for too long.")
        return -self._allowance / self._per_s


def header_size(header: bytes | bytearray) -> int:
    """How long this frame header will be; at least 2, and more once its second byte is known."""
    if len(header) < 2:  # noqa: PLR2004  # flags and size
        return 2
    return 2 + _LONGER_SIZE.get(header[1] & _SIZE, 0) + (4 if header[1] & _MASKED else 0)


def payload_size(header: bytes | bytearray) -> int:
    """How many bytes follow a whole header."""
    size = header[1] & _SIZE
    longer = _LONGER_SIZE.get(size)
    return size if longer is None else int.from_bytes(header[2 : 2 + longer], "big")
