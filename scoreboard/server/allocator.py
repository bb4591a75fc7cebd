"""What crowds of connections leave behind with the allocator of C, given back to the system.

What a connection needs beside Python's small objects (its buffers, its pages of larger objects) lies between what
others need, who stay longer: when a crowd has left there are holes, and only what is free at the very end of the heap
goes back by itself. Two thousand clients that ask for large answers and do not read them left 45 MiB of such holes
(``python -m tests.edge.herd --way unread --seconds 8``). Python's own arenas, of a mebibyte each, keep about as much,
for a handful of small objects in each: they go when the last of these is gone, and are used again until then.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import trio

from scoreboard.observe.logs import Logger

#: How many must have left for it to be worth a few milliseconds of a turn.
CROWD = 256
LOOK_EVERY_S = 2.0
#: Between two times: a crowd does not leave in one moment.
PAUSE_S = 10.0
MIB = 2**20


def releaser() -> Callable[[], object] | None:
    """What makes the allocator give back all pages that hold nothing; None where it cannot be told to (not glibc)."""
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):
        return None
    trim.argtypes, trim.restype = [ctypes.c_size_t], ctypes.c_int
    return lambda: trim(0)


async def give_back(
    connections: Callable[[], int], resident: Callable[[], int], log: Logger, release: Callable[[], object] | None
) -> None:
    """Look whether a crowd has left, and release then; ends by being cancelled, or at once where nothing can be done.

    `resident` tells the size of this process in bytes.
    """
    if release is None:
        return
    most = connections()
    while True:
        await trio.sleep(LOOK_EVERY_S)
        now = connections()
        most = max(most, now)
        if most - now >= CROWD:
            _release(release, resident, most - now, log)
            most = now
            await trio.sleep(PAUSE_S)


def _release(release: Callable[[], object], resident: Callable[[], int], left: int, log: Logger) -> None:
    before, began = resident(), trio.current_time()
    release()
    log.info(
        "gave_memory_back",
        connections_left=left,
        seconds=round(trio.current_time() - began, 3),
        mib=(before - resident()) // MIB,
        resident_mib=resident() // MIB,
    )
