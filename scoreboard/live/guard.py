"""Looks at the frame headers that a client sends, before trio-websocket does: what its size limit does not see.

A message may come in any number of frames, and empty ones count nothing against a limit on size; a ping costs us a
pong. So both are counted here. Synchronous, no socket.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from scoreboard.live.shares import FrameRate, FrameShares

#: So many frames are handed on at once; then others have their turn.
PORTION = 8
_FIN = 0x80
_OPCODE = 0x0F
_CONTROL = 0x08
_MASKED = 0x80
_SIZE = 0x7F
_LONGER_SIZE = {126: 2, 127: 8}
_LONGEST_HEADER = 14
_FIN_TEXT = 0x81
_SHORTEST = 6
_LONG = 126
#: Whoever is quiet for so long after its turn has nothing left that would wait for the next one.
_BREATH_S = 1.0
#: Of what an address may send a frame of somebody unknown takes as much as so many frames of players.
UNKNOWN = 2
_ANYBODY, _PLAYERS = FrameRate(50, 200), FrameRate(1000, 2000)


class FrameViolation(Exception):
    """The client sent what it may not; `code` is the close code that says so."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class FrameLimits:
    """What a client may send.

    Attributes:
        fragments: Frames that one message may come in.
        anybody: The rate of who has not said who it is.
        players: The rate of who has.
        patience_s: For a client that sends faster without a break. What it has sent lies in the kernel for as long as
            it takes to read that at the rate, a quarter hour perhaps, and whether it has left is seen only behind it.
            Also the longest wait for a turn among all that an address sends, and for turns without a break.
        shares: What addresses may send, whatever each of their clients may.
    """

    fragments: int = 64
    anybody: FrameRate = _ANYBODY
    players: FrameRate = _PLAYERS
    patience_s: float = 30.0
    shares: FrameShares = field(default_factory=FrameShares)


class FrameGuard:
    """Bounds the frames of a message, and the rate of all frames: of one client, and of its address."""

    __slots__ = (
        "_allowance",
        "_filled_at",
        "_fragments",
        "_header",
        "_limits",
        "_payload_left",
        "_pressed_since",
        "_rate",
        "_site",
        "_turn_at",
        "_waits_since",
        "_weight",
        "left",
    )

    def __init__(self, limits: FrameLimits = FrameLimits(), address: str | None = None) -> None:
        self._limits = limits
        self._site = limits.shares.site(address)
        self._turn_at = self._waits_since = -math.inf
        self._rate, self._weight = limits.anybody, UNKNOWN
        self._allowance = self._rate.burst
        self._filled_at = 0.0
        self._pressed_since = math.inf
        self._fragments = 0
        self._header = bytearray()
        self._payload_left = 0
        self.left = 0  # bytes at the end of what was fed last that were not looked at

    def trust(self) -> None:
        """The client has said who it is: from now on it sends as players do."""
        self._rate, self._weight = self._limits.players, 1

    @property
    def between_messages(self) -> bool:
        """Whether what it has seen ends with a message, fragments and all."""
        return not (self._payload_left or self._header or self._fragments)

    def feed(self, data: bytes, now: float) -> float:
        """Look at the next bytes; returns how many seconds to wait before they are handled.

        They are looked at up to the end of the frame that makes a portion. What is `left` is to be fed again.

        Raises:
            FrameViolation: the connection should be closed.
        """
        self.left = 0
        if self.between_messages and _is_whole_text(data):  # as most are
            return self.wait_for(1, now)
        frames, place, size = 0, 0, len(data)
        while place < size:
            if self._payload_left:
                passed = min(self._payload_left, size - place)
                self._payload_left -= passed
                place += passed
                continue
            if frames == PORTION:
                self.left = size - place
                break
            place = self._read_header(data, place)
            if not self._header:
                frames += 1
        return self.wait_for(frames, now)

    def _read_header(self, data: bytes, place: int) -> int:
        """Take what there is of a header; returns the place behind it. Nothing is kept of a whole one."""
        if not self._header and len(data) - place >= _LONGEST_HEADER:
            header: bytes | bytearray = data[place : place + _LONGEST_HEADER]
            self._begin_frame(header)
            return place + header_size(header)
        header = self._header
        while len(header) < header_size(header):
            if place == len(data):
                return place
            header.append(data[place])
            place += 1
        self._begin_frame(header)
        header.clear()
        return place

    def _begin_frame(self, header: bytes | bytearray) -> None:
        first, self._payload_left = header[0], payload_size(header)
        if first & _CONTROL:
            return
        self._fragments = self._fragments + 1 if not first & _OPCODE else 1
        if self._fragments > self._limits.fragments:
            raise FrameViolation(1008, "A message may not come in so many fragments.")
        if first & _FIN:
            self._fragments = 0

    def wait_for(self, frames: int, now: float) -> float:
        """So many more frames have come: as `feed`, for who counts them by other means."""
        own_s = self._own_wait(frames, now)
        return own_s if self._site is None else max(own_s, self._shared_wait(self._site, frames, now))

    def _shared_wait(self, site: str, frames: int, now: float) -> float:
        """Bytes that are no whole frame are read all the same, and cost as much."""
        patience_s = self._limits.patience_s
        wait_s = self._limits.shares.wait_for(site, max(frames, 1) * self._weight, now, patience_s)
        if not wait_s or now > self._turn_at + _BREATH_S:
            self._waits_since = now
        self._turn_at = now + wait_s
        if max(wait_s, now - self._waits_since) > patience_s:
            raise FrameViolation(1013, f"Too much comes from your address: retryAfter={max(wait_s, 1.0):.1f}")
        return wait_s

    def _own_wait(self, frames: int, now: float) -> float:
        per_s, burst = self._rate.per_s, self._rate.burst
        if per_s == math.inf:
            return 0.0
        allowance = min(burst, self._allowance + (now - self._filled_at) * per_s)
        if allowance >= min(per_s, burst):  # quiet for a second more than it had to be
            self._pressed_since = math.inf
        self._allowance = allowance - frames
        self._filled_at = now
        if self._allowance >= 0:
            return 0.0
        self._pressed_since = min(self._pressed_since, now)
        if now - self._pressed_since > self._limits.patience_s:
            raise FrameViolation(1008, "Frames came too fast for too long.")
        return -self._allowance / per_s


def _is_whole_text(data: bytes) -> bool:
    """Whether this is one unfragmented text message of less than 64 KiB and nothing else."""
    if len(data) < _SHORTEST or data[0] != _FIN_TEXT:
        return False
    size = data[1] - _MASKED
    if size == _LONG:
        return len(data) == _SHORTEST + 2 + int.from_bytes(data[2:4], "big")
    return size < _LONG and len(data) == _SHORTEST + size


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
