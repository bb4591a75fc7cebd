from __future__ import annotations

import io
import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from scoreboard.observe.logs import make_logger
from scoreboard.server import descriptors

STATUS = Path("/proc/self/status")


@pytest.mark.parametrize(
    ("hard", "told", "room"),
    [
        (10_132, None, 10_000),
        (10_131, 10_131, 9_999),
        (120, 120, 30),
        (resource.RLIM_INFINITY, None, 10_000),
    ],
    ids=["just", "few", "hardly any", "any"],
)
def test_it_takes_the_descriptors_that_it_may_have_and_says_when_they_are_too_few(
    hard: int, told: int | None, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shell's soft limit of 1,024 must not be what the ten thousandth client meets; a hard one is said at start.

    Of few, some are left for who is not a client.
    """
    taken: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: taken.append(limits))
    lines = io.StringIO()
    log = make_logger(style="json", stream=lines)
    assert room == descriptors.prepare(10_000, log)
    assert [(hard, hard)] == taken
    said = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert ([] if told is None else [("few_descriptors", told, 10_000)]) == [
        (line["event"], line["allowed"], line["connections"]) for line in said
    ]


#: A table never becomes smaller, so only in a process of its own is it known who made the room.
ALONE = """
import io, pathlib, sys
from scoreboard.observe.logs import make_logger
from scoreboard.server import descriptors

def size():
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("FDSize:"))

before = size()
descriptors.prepare(int(sys.argv[1]), make_logger(style="json", stream=io.StringIO()))
print(before, size(), max(int(each.name) for each in pathlib.Path("/proc/self/fd").iterdir()))
"""


@pytest.mark.skipif(not STATUS.exists(), reason="only Linux tells the size of the table")
def test_there_is_room_for_all_connections_before_the_first_comes() -> None:
    """Later the kernel would hold up the whole process to make it; nothing stays open for it."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    connections = min(3_000, most - descriptors.OTHERS)
    words = [sys.executable, "-c", ALONE, str(connections)]
    told = subprocess.run(words, check=True, capture_output=True, text=True, timeout=60).stdout
    before, size, highest = map(int, told.split())
    assert before < connections
    assert size >= connections + descriptors.OTHERS
    assert highest < 100
