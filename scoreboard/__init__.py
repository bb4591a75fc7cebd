"""A live scoreboard server: the half that touches the world."""
