"""The JavaScript client in a process of its own, on the network of this machine."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.node import node_or_skip

TALK = Path(__file__).parent / "talk.mjs"
WITHIN_S = 60.0
FIRST_WITH_SOCKETS = 22

Line = dict[str, Any]


class Talking:
    """Told what to do, and listened to."""

    def __init__(self, url: str) -> None:
        self.seen: list[Line] = []
        self._lines: queue.Queue[Line | None] = queue.Queue()
        words = [*node_with_sockets(), str(TALK), url]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def do(self, verb: str, **fields: Any) -> None:
        """One of the verbs of `talk.mjs`."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"verb": verb, **fields}) + "\n")
        self._process.stdin.flush()

    def until(self, what: str, wanted: Callable[[Line], bool] = lambda _: True) -> Line:
        """The next line of that kind that is wanted."""
        while True:
            try:
                line = self._lines.get(timeout=WITHIN_S)
            except queue.Empty:
                raise AssertionError(f"no {what}; seen: {self.seen[-10:]}") from None
            assert line is not None, f"the client ended; seen: {self.seen[-10:]}"
            self.seen.append(line)
            assert line["what"] != "failed", line
            if line["what"] == what and wanted(line):
                return line

    def shows(self, *score: object) -> None:
        """A board with that name and score has come, or comes."""
        boards = [line for line in self.seen if line["what"] == "board"]
        if not any(list(score) in line["scores"] for line in boards):
            self.until("board", lambda line: list(score) in line["scores"])

    def end(self) -> None:
        """Close it; it is gone when this returns."""
        self._process.kill()
        self._process.wait(10)
        self._reader.join(10)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(json.loads(line))
        self._lines.put(None)


@contextmanager
def talking(url: str) -> Iterator[Talking]:
    """A client for the time of a block."""
    client = Talking(url)
    try:
        yield client
    finally:
        client.end()


def node_with_sockets() -> list[str]:
    """Node, with the word that Node 20 needs to have WebSockets as browsers do."""
    node = node_or_skip()
    version = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20, check=True).stdout
    has_them = int(version.strip().lstrip("v").partition(".")[0]) >= FIRST_WITH_SOCKETS
    return [node, *([] if has_them else ["--experimental-websocket", "--no-warnings"])]
