"""One client's live feed: what it watches, and a latest-wins outbox."""
