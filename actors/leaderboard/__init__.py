"""The ranked state of a board, its steps, and those who watch it."""
