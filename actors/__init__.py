"""Everything that decides: the rules and the live state of the scoreboard, with no socket, file or wall clock."""
