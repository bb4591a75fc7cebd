"""A player who looks whether a running server does what it is there for; knows nothing of the server."""
