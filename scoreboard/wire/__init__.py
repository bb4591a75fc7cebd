"""What REST and the live feed share: the JSON of tokens, scores, rows and times, and what is said of a failure."""
