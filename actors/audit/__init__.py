"""What was refused, and what those in charge did: gathered here, and written now and then. Nobody waits for it."""
