"""Server-sent events: the live feed for who only wants to look, over plain HTTP."""

from scoreboard.live.sse.feed import PATH, EventFeed, EventFeedLimits

__all__ = ["PATH", "EventFeed", "EventFeedLimits"]
