"""The logger of a process, through which its libraries speak too."""

from __future__ import annotations

import logging

from scoreboard.observe.logs import Logger, adopt_library_logs, make_logger, unwritten_lines
from scoreboard.settings import Logs

#: The empty name is that of all that have no handler of their own.
LIBRARIES = ("", "hypercorn", "quart", "trio-websocket")
#: The pool warns with a traceback each time that it cannot connect; that Postgres is away, and why, we say once.
REPETITIVE = ("asyncpg.pool",)


def logger_for(logs: Logs, **fields: object) -> Logger:
    """One by the settings, with these fields on every line."""
    log: Logger = make_logger(level=logs.level, style=logs.format).bind(**fields)
    adopt_library_logs(log, LIBRARIES)
    for name in REPETITIVE:
        logging.getLogger(name).setLevel(logging.ERROR)
    return log


def silence_of(log: Logger) -> str | None:
    """A sentence for the operator, as long as nothing can be written to it."""
    lost = unwritten_lines(log)
    return f"the last {lost} lines of its log could not be written: has the disk room?" if lost else None
