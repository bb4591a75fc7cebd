"""One service of a game: batches of scores that it answers for, judged in order."""
