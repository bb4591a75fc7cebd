"""Follows on the terminal what a running server tells while it does what its operator asked."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import click

from scoreboard.server.operating.asking import LOCKS, NOT_RUNNING, NoAnswer, NotRunning, ask, has_open, holder_of
from scoreboard.server.verbs import FAILED, give_up

#: As shells have it for what Ctrl-C ended.
INTERRUPTED = 130
#: A server ends within ten seconds of being told to.
ENDED_WITHIN_S = 15.0
LOOK_S = 0.05

#: Waits so many seconds at most for the end of a server; whether it came.
HasEnded = Callable[[float], bool]


def follow(data_dir: Path, what: str, *, within_s: float, **more: Any) -> int:
    """Have it done, print what is told, and give the status to end with.

    A server that says at first which process it is, and hangs up without a last word, ends: that is waited for.
    """
    ending: HasEnded | None = None
    try:
        for line in ask(data_dir, what, within_s=within_s, **more):
            ending = _watched(line["pid"], data_dir / LOCKS[0]) if "pid" in line else ending
            if "says" in line:
                click.echo(line["says"])
            if "end" in line:
                return int(line["end"])
    except NotRunning as error:
        give_up(str(error), status=NOT_RUNNING)
    except (NoAnswer, ValueError) as error:
        if ending is None:
            give_up(str(error))
    except KeyboardInterrupt:
        give_up(f"the server goes on with its {what}; look at: scoreboard status", status=INTERRUPTED)
    if ending is None:
        give_up(f"the server hung up in the middle of its {what}; look at: scoreboard status")
    return _seen_out(ending)


def _watched(pid: int, lock: Path) -> HasEnded:
    """Whether it ends: by a descriptor of that process, which stays its own even if another one has its number by then.

    In a container it has a number of its own there; then, whether it lets go of the data directory.
    """
    if has_open(pid, lock):
        with suppress(ProcessLookupError):
            return partial(_is_over, os.pidfd_open(pid))
    return partial(_is_let_go, lock)


def _is_over(descriptor: int, within_s: float) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    ended = bool(poll.poll(within_s * 1000))
    os.close(descriptor)
    return ended


def _is_let_go(lock: Path, within_s: float) -> bool:
    until = time.monotonic() + within_s
    while holder_of(lock) is not None:
        if time.monotonic() >= until:
            return False
        time.sleep(LOOK_S)
    return True


def _seen_out(has_ended: HasEnded) -> int:
    began = time.monotonic()
    if not has_ended(ENDED_WITHIN_S):
        give_up(f"the server has not ended within {ENDED_WITHIN_S:g} s; its log says what it waits for", status=FAILED)
    click.echo(f"the server has ended, {time.monotonic() - began:.1f} s later")
    return 0
