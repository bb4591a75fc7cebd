"""Group commit: what many players did, made durable in one transaction."""
