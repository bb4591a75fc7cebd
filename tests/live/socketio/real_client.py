"""`socket.io-client` from npm under Node, as people use it: told what to do, and listened to."""

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

HERE = Path(__file__).parent / "node"
WITHIN_S = 30.0
POLLING_ONLY, SOCKET_ONLY, DEFAULT = ["polling"], ["websocket"], ["polling", "websocket"]

Line = dict[str, Any]


class RealClient:
    """One client in a process of its own. `seen` is all that it said, in order."""

    def __init__(self, program: str) -> None:
        self.seen: list[Line] = []
        self._lines: queue.Queue[Line | None] = queue.Queue()
        self._process = subprocess.Popen(
            [program, "talk.js"], cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def do(self, verb: str, **fields: Any) -> None:
        """One of the verbs of `talk.js`."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"verb": verb, **fields}) + "\n")
        self._process.stdin.flush()

    def open(self, url: str, **options: Any) -> None:
        """Connect with these options of socket.io-client."""
        self.do("open", url=url, options=options)

    def emit(self, name: str, *args: Any) -> None:
        """One event."""
        self.do("emit", name=name, args=list(args))

    def ask(self, name: str, *args: Any) -> Any:
        """One event with a callback; what that was called with."""
        self.do("ask", name=name, args=list(args))
        answer = self.until(lambda line: line["what"] == "answer" and line["name"] == name)
        assert not answer["error"], "no answer in time"
        return answer["answer"]

    def until(self, wanted: Callable[[Line], bool]) -> Line:
        """The next line that is wanted."""
        while True:
            try:
                line = self._lines.get(timeout=WITHIN_S)
            except queue.Empty:
                raise AssertionError(f"it did not come; seen: {self.seen[-10:]}") from None
            assert line is not None, f"the client ended; seen: {self.seen[-10:]}"
            self.seen.append(line)
            if wanted(line):
                return line

    def happens(self, what: str) -> Line:
        """The next of its kind: connect, connect_error, disconnect, upgrade, ping, reconnect."""
        return self.until(lambda line: line["what"] == what)

    def event(self, name: str, fits: Callable[[Any], bool] = lambda _: True) -> Any:
        """The data of the next event of that name."""

        def wanted(line: Line) -> bool:
            return line["what"] == "event" and line["name"] == name and fits((line["args"] or [None])[0])

        return (self.until(wanted)["args"] or [None])[0]

    def events(self, name: str) -> list[Any]:
        """The data of all events of that name so far."""
        return [line["args"][0] for line in self.seen if line["what"] == "event" and line["name"] == name]

    def end(self) -> None:
        """As one whose page is closed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(WITHIN_S)
        self._reader.join(WITHIN_S)
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(json.loads(line))
        self._lines.put(None)


@contextmanager
def real_client() -> Iterator[RealClient]:
    """One client for the time of a block."""
    client = RealClient(node_or_skip(HERE))
    try:
        yield client
    finally:
        client.end()
