"""Many sorted runs as one, in short steps."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from actors.leaderboard.place import TIE_BITS, Place


def merged(runs: Sequence[list[Place]], about: int) -> Iterator[list[Place]]:
    """All places of rising runs in rising order, in lists of at most twice `about`; the tied are never parted.

    A list is longer only if more than that are tied. Splitters are taken from samples of each run, as evenly as the
    runs themselves, so no list is long however the runs differ; sorting one joins what is sorted already.
    """
    every = max(about // max(len(runs), 1), 1)
    samples = sorted(place >> TIE_BITS << TIE_BITS for run in runs for place in run[::every])
    starts = [0] * len(runs)
    for splitter in samples[len(runs) :: len(runs)] if samples else ():
        ends = [bisect_left(run, splitter, start) for run, start in zip(runs, starts, strict=True)]
        yield from _joined(runs, starts, ends)
        starts = ends
    yield from _joined(runs, starts, list(map(len, runs)))


def _joined(runs: Sequence[list[Place]], starts: list[int], ends: list[int]) -> Iterator[list[Place]]:
    found: list[Place] = []
    for run, start, end in zip(runs, starts, ends, strict=True):
        found += run[start:end]
    if found:
        found.sort()
        yield found
