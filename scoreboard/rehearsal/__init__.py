"""Generated players, honest and not, to see what the watch on fraud finds among them."""
