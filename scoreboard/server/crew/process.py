"""One worker as its parent sees it: a process, and the line to it."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress

from scoreboard.server.crew.line import Orders, ParentEnd
from scoreboard.stores.embedded_process import ended


class WorkerProcess:
    """A process that was started just now, in a session of its own: a Ctrl-C is meant for the parent, who passes it on.

    Started in Trio's thread on purpose: a worker asks the kernel to be told when the *thread* that began it ends.
    """

    def __init__(self, orders: Orders, command: Sequence[str]) -> None:
        self._number = orders.worker or orders.seat
        self.line = ParentEnd()
        words = [*command, str(self._number)]
        with self.line.theirs as theirs:
            self._process = subprocess.Popen(words, stdin=theirs.fileno(), start_new_session=True)  # noqa: S603 - our own words
        self.line.assign(orders)

    def __repr__(self) -> str:
        return f"<WorkerProcess {self._number}, pid {self.pid}>"

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    async def ended(self) -> int:
        """Wait for its end; its exit status, or the number of the signal that ended it, negative."""
        await ended(self.pid)
        return self._process.wait()

    def tell(self, number: signal.Signals) -> None:
        """Send it a signal, if it is still there."""
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    def tell_to_stop(self) -> None:
        """One that somebody has stopped with a signal goes on, so that it can obey."""
        self.tell(signal.SIGTERM)
        self.tell(signal.SIGCONT)


def in_words(status: int) -> str:
    """How a process ended, for an operator."""
    if status >= 0:
        return f"status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"
