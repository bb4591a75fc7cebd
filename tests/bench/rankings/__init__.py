"""Ways to keep a board in order, for the measure `ranking`."""
