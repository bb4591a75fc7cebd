"""A process that says lines and is told lines, as all peers are."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

END_WITHIN_S = 15.0


class PeerFailed(Exception):
    """A peer ended, or said something else than it should; what it complained of stands on standard error."""


class Speaking:
    """One such process; `speaking` starts and ends it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.pid = process.pid

    def line(self) -> str:
        """The next line that it says; raises PeerFailed when it has ended."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise PeerFailed(f"{self._process.args!r} ended with status {self._process.wait()}")
        return line.decode().strip()

    def port(self) -> int:
        """Where it says that it listens."""
        line = self.line()
        if not line.startswith("port "):
            raise PeerFailed(f"{self._process.args!r} said {line!r}")
        return int(line.removeprefix("port "))

    def tell(self, line: str) -> None:
        """Give it a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()


@contextmanager
def speaking(command: list[str], folder: Path, **environment: str) -> Iterator[Speaking]:
    """Run it in the folder; at the end its input is closed, and then it is told to stop."""
    process = subprocess.Popen(
        command, cwd=folder, env=os.environ | environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        yield Speaking(process)
    finally:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        try:
            process.wait(END_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
