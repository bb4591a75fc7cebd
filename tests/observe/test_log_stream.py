"""Lines of a log that cannot be written."""

from __future__ import annotations

import io
import json
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scoreboard.observe.logs import lost_lines, make_logger, unwritten_lines


@contextmanager
def room(size: int) -> Iterator[None]:
    """No file can be longer than this, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


def test_lines_that_do_not_fit_on_the_disk_are_counted_and_told_of_once(tmp_path: Path) -> None:
    """No line is written in part where it would be taken for another one's, and none is lost that is not counted."""
    file = tmp_path / "log"
    with file.open("a") as stream:
        log = make_logger(style="json", stream=stream)
        log.info("first", number=0)
        with room(file.stat().st_size + 20):
            for number in range(1, 4):
                log.info("lost", number=number)
            assert 3 == lost_lines(log) == unwritten_lines(log)
        log.info("last", number=4)
        log.info("last", number=5)
    first, torn, told, *rest = file.read_text().splitlines()
    assert ("first", 20) == (json.loads(first)["event"], len(torn))
    said = json.loads(told)
    assert ("log_lines_lost", "error", 3) == (said["event"], said["level"], said["lines"])
    assert said["timestamp"].endswith("Z")
    assert [4, 5] == [json.loads(line)["number"] for line in rest]
    assert (3, 0) == (lost_lines(log), unwritten_lines(log))


def test_also_a_bound_logger_and_a_stream_without_a_descriptor_tell(tmp_path: Path) -> None:
    """A worker's logger has its number bound."""

    class Full(io.StringIO):
        full = False

        def write(self, text: str) -> int:
            if self.full:
                raise OSError(28, os.strerror(28))
            return super().write(text)

    stream = Full()
    log = make_logger(style="console", stream=stream).bind(worker=1)
    stream.full = True
    log.info("lost")
    stream.full = False
    log.info("written")
    told, written = stream.getvalue().splitlines()
    assert ("1 lines" in told, "written" in written, lost_lines(log)) == (True, True, 1)


def test_whoever_logs_elsewhere_has_lost_nothing() -> None:
    """A logger of a test."""
    assert 0 == lost_lines(object()) == unwritten_lines(object())
