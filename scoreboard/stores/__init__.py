"""Where scores and boards are kept: Postgres and Redis behind the ports, and both of them embedded."""
