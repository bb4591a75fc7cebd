"""As many file descriptors as there may be connections: allowed, and with room for them made beforehand."""

from __future__ import annotations

import fcntl
import os
import resource
from contextlib import suppress

from scoreboard.observe.logs import Logger

#: Of stores, logs, listeners and the event loop, and of those who ask a full server how it is.
OTHERS = 132


def prepare(connections: int, log: Logger) -> int:
    """Take as many as the system lets us, say so when they are too few for so many connections, and make room.

    Returns how many connections there may be: were all descriptors theirs, a store that was lost could not be reached
    again, and a client would wait in the queue of the port instead of hearing that the server is full.

    The kernel doubles a process' table of descriptors when it is full. In a process with threads it waits for all
    processors meanwhile, in `accept`, and nobody is served (``scripts/bench hold``). Called before there are any.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    wanted = connections + OTHERS
    if hard != resource.RLIM_INFINITY and hard < wanted:
        log.warning("few_descriptors", allowed=hard, connections=connections, remedy="ulimit -n")
        wanted, connections = hard, max(hard - OTHERS, hard // 4)
    _make_room(wanted)
    return connections


def _make_room(wanted: int) -> None:
    lowest = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # then room is made when it is needed
            os.close(fcntl.fcntl(lowest, fcntl.F_DUPFD_CLOEXEC, wanted - 1))
    finally:
        os.close(lowest)
