"""`socket.io-client` from npm under Node, as people use it: told what to do, and listened to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.node_needed import node_or_skip
from tests.told_program import Line, ToldProgram

HERE = Path(__file__).parent / "node"
WITHIN_S = 30.0
POLLING_ONLY, SOCKET_ONLY, DEFAULT = ["polling"], ["websocket"], ["polling", "websocket"]


class RealClient(ToldProgram):
    """One client in a process of its own, told the verbs of `talk.js`."""

    def __init__(self, program: str) -> None:
        super().__init__([program, "talk.js"], folder=HERE, within_s=WITHIN_S)

    def open(self, url: str, **options: Any) -> None:
        """Connect with these options of socket.io-client."""
        self.do("open", url=url, options=options)

    def emit(self, name: str, *args: Any) -> None:
        """One event."""
        self.do("emit", name=name, args=list(args))

    def ask(self, name: str, *args: Any) -> Any:
        """One event with a callback; what that was called with."""
        self.do("ask", name=name, args=list(args))
        answer = self.wait_for(lambda line: line["what"] == "answer" and line["name"] == name)
        assert not answer["error"], "no answer in time"
        return answer["answer"]

    def happens(self, what: str) -> Line:
        """The next of its kind: connect, connect_error, disconnect, upgrade, ping, reconnect."""
        return self.wait_for(lambda line: line["what"] == what)

    def event(self, name: str, fits: Callable[[Any], bool] = lambda _: True) -> Any:
        """The data of the next event of that name."""

        def wanted(line: Line) -> bool:
            return line["what"] == "event" and line["name"] == name and fits((line["args"] or [None])[0])

        return (self.wait_for(wanted)["args"] or [None])[0]

    def events(self, name: str) -> list[Any]:
        """The data of all events of that name so far."""
        return [line["args"][0] for line in self.seen if line["what"] == "event" and line["name"] == name]


@contextmanager
def real_client() -> Iterator[RealClient]:
    """One client for the time of a block."""
    client = RealClient(node_or_skip(HERE))
    try:
        yield client
    finally:
        client.leave()  # as one whose page is closed
