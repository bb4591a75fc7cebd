"""A program in a process of its own that is told what to do, and listened to: a JSON object a line both ways."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Line = dict[str, Any]


class ToldProgram:
    """One program. `seen` is all that was heard of it, in order."""

    def __init__(self, words: Sequence[str], *, folder: Path | None = None, within_s: float) -> None:
        self.seen: list[Line] = []
        self._within_s = within_s
        self._lines: queue.Queue[Line | None] = queue.Queue()
        self._process = subprocess.Popen(words, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def do(self, verb: str, **fields: Any) -> None:
        """One of its verbs."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"verb": verb, **fields}) + "\n")
        self._process.stdin.flush()

    def wait_for(self, wanted: Callable[[Line], bool]) -> Line:
        """The next line that is wanted."""
        while True:
            try:
                line = self._lines.get(timeout=self._within_s)
            except queue.Empty:
                raise AssertionError(f"it did not come; seen: {self.seen[-10:]}") from None
            assert line is not None, f"the client ended; seen: {self.seen[-10:]}"
            self.seen.append(line)
            if wanted(line):
                return line

    def kill(self) -> None:
        """It is gone when this returns."""
        self._process.kill()
        self._wait()

    def leave(self) -> None:
        """Let it end by itself, now that nothing more will be said."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._wait()

    def _wait(self) -> None:
        self._process.wait(self._within_s)
        self._reader.join(self._within_s)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(json.loads(line))
        self._lines.put(None)
