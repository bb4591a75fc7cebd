"""Follows on the terminal what a running server tells while it does what its operator asked."""

from __future__ import annotations

import os
import select
import time
from pathlib import Path
from typing import Any

import click

from scoreboard.server.operating.asking import NOT_RUNNING, NoAnswer, NotRunning, ask
from scoreboard.server.verbs import FAILED, give_up

#: As shells have it for what Ctrl-C ended.
INTERRUPTED = 130
#: A server ends within ten seconds of being told to.
ENDED_WITHIN_S = 15.0


def follow(data_dir: Path, what: str, *, within_s: float, **more: Any) -> int:
    """Have it done, print what is told, and give the status to end with.

    A server that says at first which process it is, and hangs up without a last word, ends: that is waited for.
    """
    ending: int | None = None
    try:
        for line in ask(data_dir, what, within_s=within_s, **more):
            ending = _watched(line["pid"]) if "pid" in line else ending
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


def _watched(pid: int) -> int:
    """A descriptor that becomes readable when this process ends, even if another one has its number by then."""
    return os.pidfd_open(pid)


def _seen_out(descriptor: int) -> int:
    began, poll = time.monotonic(), select.poll()
    poll.register(descriptor, select.POLLIN)
    if not poll.poll(ENDED_WITHIN_S * 1000):
        give_up(f"the server has not ended within {ENDED_WITHIN_S:g} s; its log says what it waits for", status=FAILED)
    os.close(descriptor)
    click.echo(f"the server has ended, {time.monotonic() - began:.1f} s later")
    return 0
