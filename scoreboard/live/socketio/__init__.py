"""Clients of Socket.IO: Engine.IO's sessions over requests and WebSockets, both documents' events in its packets."""

from scoreboard.live.socketio.engine import Patience as SocketIoPatience
from scoreboard.live.socketio.places import PlaceLimits as SocketIoPlaces
from scoreboard.live.socketio.query import PATHS as SOCKETIO_PATHS
from scoreboard.live.socketio.query import session_asked, worker_asked
from scoreboard.live.socketio.service import SocketIo
from scoreboard.live.socketio.world import SocketIoLimits, SocketIoWorld

__all__ = [
    "SOCKETIO_PATHS",
    "SocketIo",
    "SocketIoLimits",
    "SocketIoPatience",
    "SocketIoPlaces",
    "SocketIoWorld",
    "session_asked",
    "worker_asked",
]
