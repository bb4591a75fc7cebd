"""The real server over real stores, while all of them are killed, paused, cut off and starved."""
