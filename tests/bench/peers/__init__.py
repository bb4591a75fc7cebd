"""Other servers that the same load generators can drive; each is a `tests.bench.subject.Subject`."""
