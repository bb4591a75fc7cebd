"""What the server tells of itself: structured logs and metrics."""
