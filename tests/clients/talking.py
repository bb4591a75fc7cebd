"""The JavaScript client in a process of its own, on the network of this machine."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.node_needed import node_or_skip
from tests.told_program import Line, ToldProgram

TALK = Path(__file__).parent / "talk.mjs"
WITHIN_S = 60.0
FIRST_WITH_SOCKETS = 22


class Talking(ToldProgram):
    """Told the verbs of `talk.mjs`, and listened to."""

    def __init__(self, url: str) -> None:
        super().__init__([*node_with_sockets(), str(TALK), url], within_s=WITHIN_S)

    def until(self, what: str, wanted: Callable[[Line], bool] = lambda _: True) -> Line:
        """The next line of that kind that is wanted."""

        def fits(line: Line) -> bool:
            assert line["what"] != "failed", line
            return bool(line["what"] == what and wanted(line))

        return self.wait_for(fits)

    def shows(self, *score: object) -> None:
        """A board with that name and score has come, or comes."""
        boards = [line for line in self.seen if line["what"] == "board"]
        if not any(list(score) in line["scores"] for line in boards):
            self.until("board", lambda line: list(score) in line["scores"])


@contextmanager
def talking(url: str) -> Iterator[Talking]:
    """A client for the time of a block."""
    client = Talking(url)
    try:
        yield client
    finally:
        client.kill()


def node_with_sockets() -> list[str]:
    """Node, with the word that Node 20 needs to have WebSockets as browsers do."""
    node = node_or_skip()
    version = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20, check=True).stdout
    has_them = int(version.strip().lstrip("v").partition(".")[0]) >= FIRST_WITH_SOCKETS
    return [node, *([] if has_them else ["--experimental-websocket", "--no-warnings"])]
