"""A package, so that `tests.fakes` means ours wherever else a folder of that name lies on the path."""
