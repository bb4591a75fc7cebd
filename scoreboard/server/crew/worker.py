"""What a worker's process does first: it hears from its parent what it is, and watches that the parent lives."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from pathlib import Path

from scoreboard.observe.logs import Logger
from scoreboard.server.crew.line import WorkerEnd
from scoreboard.server.ending import exit_in_time, leaves
from scoreboard.server.place import Place
from scoreboard.server.process_log import logger_for
from scoreboard.server.running import run_process

PR_SET_PDEATHSIG = 1


def run_worker() -> int:
    """Serve as one of several; the exit status.

    Raises:
        NoParent: this was not started by one.
    """
    line = WorkerEnd.at_standard_input()
    assignment = line.assignment()
    settings = assignment.settings
    log = logger_for(settings.logs, worker=assignment.number)
    _wake_when_parent_dies()
    threading.Thread(target=_end_with_parent, args=(line, log), daemon=True).start()
    place = Place(assignment.number, assignment.seat, assignment.count, Path(assignment.sockets), line)
    try:
        return run_process(settings, log, place)
    except BaseException as error:
        line.last_words("; ".join(f"{type(each).__name__}: {each}" for each in leaves(error)))
        raise


def _end_with_parent(line: WorkerEnd, log: Logger) -> None:
    """A worker without a parent is nobody's: it ends in good order, or when its time is over."""
    line.wait_until_parent_is_gone()
    log.error("parent_gone", meaning="this worker ends")
    os.kill(os.getpid(), signal.SIGTERM)
    exit_in_time(log)


def _wake_when_parent_dies() -> None:
    """One that is stopped by a signal would not see it otherwise, and keep the port from the next server."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGCONT), 0, 0, 0)
