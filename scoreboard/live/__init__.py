"""Transports of the live feed: WebSocket frames, one dialect of JSON, and the close codes."""

from scoreboard.live.caretaker import Patience
from scoreboard.live.dialect import DialectB
from scoreboard.live.guard import FrameLimits, FrameRate
from scoreboard.live.websocket import PATH, FeedLimits, WebSocketFeed

__all__ = ["PATH", "DialectB", "FeedLimits", "FrameLimits", "FrameRate", "Patience", "WebSocketFeed"]
