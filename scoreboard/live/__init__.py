"""Transports of the live feed: WebSocket frames, two dialects of JSON, and the close codes."""

from scoreboard.live.caretaker import Patience
from scoreboard.live.dialect import DialectB
from scoreboard.live.dialect_a import DialectA
from scoreboard.live.guard import FrameLimits
from scoreboard.live.shares import FrameRate, FrameShares
from scoreboard.live.websocket import FeedLimits, WebSocketFeed

__all__ = ["DialectA", "DialectB", "FeedLimits", "FrameLimits", "FrameRate", "FrameShares", "Patience", "WebSocketFeed"]
