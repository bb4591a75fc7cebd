"""One session of Engine.IO 4 as its server sees it: what happens goes in, what is to be done comes out. No socket.

A session goes by one way at a time: requests that wait for an answer (polling), or a WebSocket. It may begin with the
first and move to the second without losing a packet: the client asks on the new way `2probe` and is answered `3probe`;
then it waits until nothing is under way on the old one, says `5`, and both go on with the new one only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from scoreboard.live.socketio.codecs import CLOSE, MESSAGE, NOOP, PING, PONG, UPGRADE
from scoreboard.live.socketio.packets import EnginePacket, control

_PROBE = "probe"


class Way(Enum):
    """How packets travel."""

    POLLING = "polling"
    WEBSOCKET = "websocket"


class End(Enum):
    """Why a session is over. The client was told, or has gone, or will notice."""

    LEFT = "the client closed it"
    GONE = "the client hung up"
    SILENT = "nothing came in time"
    BROKEN = "the client broke the protocol"
    FAST = "packets came too fast for too long"
    SLOW = "what came could not be handed on in time"
    OVER = "the server closed it"
    RENEWED = "the server closed it, and others serve"
    SIGNED_OUT = "the player's session has ended"
    FAILED = "the server failed"


@dataclass(frozen=True, slots=True)
class Patience:
    """Times of a session in seconds.

    Attributes:
        ping_interval_s: from one ping of the server to the next.
        ping_timeout_s: for any sign of life after a ping.
        upgrade_within_s: from a second way's beginning to the client's last word on the first.
    """

    ping_interval_s: float = 25.0
    ping_timeout_s: float = 30.0
    upgrade_within_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Deliver:
    """A message has come."""

    data: str | bytes


@dataclass(frozen=True, slots=True)
class Say:
    """Send this packet behind all that was sent before, by the way that holds."""

    packet: str


@dataclass(frozen=True, slots=True)
class AnswerProbe:
    """Send this packet on the WebSocket that wants to become the way, and nothing else."""

    packet: str


@dataclass(frozen=True, slots=True)
class EndPoll:
    """Answer the poll that waits with what there is, or with a packet that says nothing."""


@dataclass(frozen=True, slots=True)
class Switch:
    """From now on all goes by the WebSocket, beginning with what waits for a poll."""


@dataclass(frozen=True, slots=True)
class DropCandidate:
    """Close the WebSocket that wanted to become the way; the session goes on without."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """The request (or the WebSocket) may not do this now; the sentence says why."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Finish:
    """The session is over."""

    why: End


Command = Deliver | Say | AnswerProbe | EndPoll | Switch | DropCandidate | Refuse | Finish

_NOT_BY_POLLING = Refuse("This session goes by its WebSocket.")
_OVER = Refuse("This session is over.")


class _Candidate(Enum):
    """How far a WebSocket has come that wants to become the way."""

    NONE = 0
    OPEN = 1
    PROBED = 2


class Engine:
    """The session. Every method is something that happened, and returns what is to be done about it, in order."""

    __slots__ = ("_candidate", "_patience", "_ping_at", "_pong_by", "_upgrade_by", "over", "polled", "posted", "way")

    def __init__(self, way: Way, patience: Patience, now: float) -> None:
        self.way = way
        self.over: End | None = None
        self.polled = False  # a request waits for packets
        self.posted = False  # the packets of a request are being handed on
        self._patience = patience
        self._candidate = _Candidate.NONE
        self._upgrade_by = math.inf
        self._ping_at = now + patience.ping_interval_s
        self._pong_by = math.inf

    def __repr__(self) -> str:
        state = "open" if self.over is None else f"over, because {self.over.value}"
        return f"<Engine by {self.way.value}, {state}>"

    # --- requests ---

    def poll_begins(self) -> list[Command]:
        """The client asks for packets. Answered by who holds them, unless refused."""
        if self.over is not None:
            return [_OVER]
        if self.way is Way.WEBSOCKET:
            return [_NOT_BY_POLLING]
        if self.polled:
            return [Refuse("Another request waits for packets already."), *self._finish(End.BROKEN)]
        self.polled = True
        self._alive()
        return [EndPoll()] if self._candidate is _Candidate.PROBED else []

    def poll_ends(self, *, heard: bool) -> list[Command]:
        """It was answered; or the client hung up before, and what was meant for it may be lost."""
        self.polled = False
        return [] if heard else self._finish(End.GONE)

    def post_begins(self) -> list[Command]:
        """The client brings packets, which `came` will be told one by one."""
        if self.over is not None:
            return [_OVER]
        if self.way is Way.WEBSOCKET:
            return [_NOT_BY_POLLING]
        if self.posted:
            return [Refuse("Another request brings packets already."), *self._finish(End.BROKEN)]
        self.posted = True
        return []

    def post_ends(self) -> list[Command]:
        """All that it brought has been handed on."""
        self.posted = False
        return []

    # --- the WebSocket ---

    def socket_opens(self, now: float) -> list[Command]:
        """A WebSocket with the id of this session wants to become its way."""
        if self.over is not None:
            return [_OVER]
        if self.way is Way.WEBSOCKET or self._candidate is not _Candidate.NONE:
            return [Refuse("This session has a WebSocket already.")]
        self._candidate = _Candidate.OPEN
        self._upgrade_by = now + self._patience.upgrade_within_s
        return []

    def socket_closes(self) -> list[Command]:
        """Its WebSocket, or the one that wanted to become its way, is closed."""
        if self.way is Way.WEBSOCKET:
            return self._finish(End.GONE)
        self._forget_candidate()
        return []

    # --- packets ---

    def came(self, packet: EnginePacket, way: Way) -> list[Command]:
        """A packet of the client."""
        if self.over is not None:
            return []
        if way is not self.way:
            return self._came_from_candidate(packet) if way is Way.WEBSOCKET else []
        self._alive()
        if packet.packet_type == MESSAGE:
            return [Deliver(packet.data or "")]
        if packet.packet_type in (PONG, NOOP):
            return []
        return self._finish(End.LEFT if packet.packet_type == CLOSE else End.BROKEN)

    def _came_from_candidate(self, packet: EnginePacket) -> list[Command]:
        if packet.packet_type == PING and packet.data == _PROBE and self._candidate is _Candidate.OPEN:
            self._candidate = _Candidate.PROBED
            answer = AnswerProbe(control(PONG, _PROBE))
            return [answer, EndPoll()] if self.polled else [answer]
        if packet.packet_type == UPGRADE and self._candidate is _Candidate.PROBED:
            self._forget_candidate()
            self.way = Way.WEBSOCKET
            self._alive()
            return [EndPoll(), Switch()] if self.polled else [Switch()]
        self._forget_candidate()
        return [DropCandidate()]

    def garbage_came(self, way: Way) -> list[Command]:
        """What came was no packet."""
        if way is self.way:
            return self._finish(End.BROKEN)
        self._forget_candidate()
        return [DropCandidate()]

    # --- time ---

    def look(self, now: float) -> list[Command]:
        """So late it is; to be called every second or so."""
        if self.over is not None:
            return []
        if now >= self._pong_by:
            return self._finish(End.SILENT)
        commands: list[Command] = []
        if now >= self._upgrade_by:
            self._forget_candidate()
            commands.append(DropCandidate())
        if now >= self._ping_at:
            self._ping_at = now + self._patience.ping_interval_s
            self._pong_by = min(self._pong_by, now + self._patience.ping_timeout_s)
            commands.append(Say(control(PING)))
        return commands

    def was_not_said(self) -> None:
        """The client could not take the ping; it is said again at the next look, and its time runs."""
        self._ping_at = -math.inf

    def end(self, why: End) -> list[Command]:
        """Somebody else ends it."""
        return self._finish(why)

    def _finish(self, why: End) -> list[Command]:
        if self.over is not None:
            return []
        self.over = why
        dropped: list[Command] = [] if self._candidate is _Candidate.NONE else [DropCandidate()]
        return [*dropped, Finish(why)]

    def _alive(self) -> None:
        self._pong_by = math.inf

    def _forget_candidate(self) -> None:
        self._candidate, self._upgrade_by = _Candidate.NONE, math.inf
