"""What an operator hears of a server that serves, and is not well."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from scoreboard.observe.logs import make_logger
from scoreboard.server.compose import _troubles
from scoreboard.server.crew.parent import SharedPort, _whole
from scoreboard.settings import Settings


def test_the_log_of_the_parent_is_told_of_too() -> None:
    """It has one of its own: who failed, and who was killed, stands there and nowhere else."""
    with Path("/dev/full").open("w") as full:
        log = make_logger(style="json", stream=full)
        port = SharedPort(Settings(), log)
        assert [] == _whole(Settings(), port, log)["troubles"]
        log.error("worker_failed")
        assert ["the last 1 lines of its log could not be written: has the disk room?"] == (
            _whole(Settings(), port, log)["troubles"]
        )


def test_a_log_that_is_silent_is_told_of_for_as_long_as_it_is(tmp_path: Path) -> None:
    """Where its disk has room again, the log itself tells what is missing, and the server is well."""
    with (tmp_path / "log").open("w") as stream, Path("/dev/full").open("w") as full:
        log = make_logger(style="json", stream=stream)
        parts = cast(Any, SimpleNamespace(log=log, keys=SimpleNamespace(trouble=None)))
        written = os.dup(stream.fileno())
        os.dup2(full.fileno(), stream.fileno())
        log.info("lost")
        log.info("lost")
        assert ["the last 2 lines of its log could not be written: has the disk room?"] == _troubles(parts, None)
        os.dup2(written, stream.fileno())
        os.close(written)
        log.info("written")
        assert [] == _troubles(parts, None)
    assert 2 == len((tmp_path / "log").read_text().splitlines())
