from __future__ import annotations

import io
import json
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from scoreboard.observe.logs import make_logger
from scoreboard.server import descriptors

STATUS = Path("/proc/self/status")


@pytest.fixture
def as_before() -> Iterator[None]:
    """Leave the limit of this process as it was."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.mark.parametrize(
    ("hard", "told"), [(10_100, None), (10_099, 10_099), (resource.RLIM_INFINITY, None)], ids=["just", "few", "any"]
)
def test_it_takes_the_descriptors_that_it_may_have_and_says_when_they_are_too_few(
    hard: int, told: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shell's soft limit of 1,024 must not be what the ten thousandth client meets; a hard one is said at start."""
    taken: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: taken.append(limits))
    lines = io.StringIO()
    log = make_logger(style="json", stream=lines)
    descriptors.prepare(10_000, log)
    assert [(hard, hard)] == taken
    said = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert ([] if told is None else [("few_descriptors", told, 10_000)]) == [
        (line["event"], line["allowed"], line["connections"]) for line in said
    ]


@pytest.mark.skipif(not STATUS.exists(), reason="only Linux tells the size of the table")
def test_there_is_room_for_all_connections_before_the_first_comes(as_before: None) -> None:
    """Later the kernel would hold up the whole process to make it; nothing stays open for it."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    connections = min(3_000, most - descriptors.OTHERS)
    descriptors.prepare(connections, make_logger(style="json", stream=io.StringIO()))
    told = dict(line.split(":", 1) for line in STATUS.read_text().splitlines())
    assert int(told["FDSize"]) >= connections + descriptors.OTHERS
    assert max(int(each.name) for each in Path("/proc/self/fd").iterdir()) < connections
