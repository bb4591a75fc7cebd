"""Several equal processes on one port: a parent that keeps the workers running, and what they say to each other."""
