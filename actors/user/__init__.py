"""One player: tokens, limits and score operations, all in order."""
