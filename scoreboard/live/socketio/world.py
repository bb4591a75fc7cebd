"""What all sessions of Socket.IO share, and their bounds."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from actors.connection.connection import ConnectionWorld
from scoreboard.live.guard import FrameLimits
from scoreboard.live.socketio.engine import Patience
from scoreboard.live.socketio.places import PlaceLimits


@dataclass(frozen=True, slots=True)
class SocketIoLimits:
    """The bounds of one client, and of all of them. Durations are seconds.

    Attributes:
        message_bytes: the longest message, and the longest body of a request.
        places: how many sessions at once, however they travel.
        connect_within_s: for a client to say who it is, or that it is nobody.
        hand_on_within_s: for the packets of one request to be worked on, or to wait for that.
        body_within_s: for the body of a request.
        open_within_s: for the answer to the handshake of a WebSocket.
        close_within_s: for the client to answer our close frame.
        patience: with a client that says nothing.
        frames: how many, and how fast; a packet that comes by polling counts as a frame.
    """

    message_bytes: int = 16 * 1024
    places: PlaceLimits = field(default_factory=PlaceLimits)
    connect_within_s: float = 10.0
    hand_on_within_s: float = 15.0
    body_within_s: float = 10.0
    open_within_s: float = 10.0
    close_within_s: float = 3.0
    patience: Patience = field(default_factory=Patience)
    frames: FrameLimits = field(default_factory=FrameLimits)

    @property
    def poll_within_s(self) -> float:
        """A poll is answered by then, if only with a packet that says nothing; a ping comes sooner."""
        return self.patience.ping_interval_s + 5.0


@dataclass(frozen=True, slots=True)
class SocketIoWorld:
    """What sessions need from outside.

    Attributes:
        connection: for the actors of their clients.
        limits: bounds.
        failed: hears of what nobody expected, and what ended a session.
        refused: hears which limit kept a session from beginning, and of one that ends because nobody connected.
        new_id: makes what nobody can guess.
        worker: the number of this worker; 0 for the only one.
    """

    connection: ConnectionWorld
    limits: SocketIoLimits
    failed: Callable[[BaseException], None]
    refused: Callable[[str], None] = lambda _: None
    new_id: Callable[[], str] = secrets.token_urlsafe
    worker: int = 0
