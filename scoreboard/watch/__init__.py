"""What the watch on fraud asks of the world: a learner, a database of addresses, a verifier of captchas."""
