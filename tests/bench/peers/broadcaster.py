"""Servers that do nothing but broadcast a board to every client, as often as they are told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.peers.programs import HERE, compiled, node
from tests.bench.peers.speaking import PeerFailed, Speaking, speaking
from tests.bench.subject import Memory, Usage, memory_of, processor_s, wait_until_quiet

OUT = Path(__file__).parents[1] / "out"


class Broadcaster:
    """A started one, which is a `Subject` too; `broadcasting` makes and ends it."""

    tick_s = 1.0

    def __init__(self, process: Speaking, port: int) -> None:
        self.port = port
        self._process = process

    def begin(self, count: int, every_s: float) -> None:
        """Broadcast so many times; `finish` waits until it is done."""
        self._process.tell(f"{count} {round(every_s * 1e6)}")

    def finish(self) -> None:
        """Wait for what was begun."""
        if (line := self._process.line()) != "done":
            raise PeerFailed(f"a broadcaster said {line!r}")

    def settle(self) -> None:
        """Let it do what clients that came or went have left to do, its garbage collection above all."""
        wait_until_quiet(self)  # garbage is garbage only when the ends of all connections were noticed
        self.begin(0, 0.0)
        self.finish()
        wait_until_quiet(self)

    def usage(self) -> Usage:
        """The processor time until now."""
        return Usage(processor_s(self._process.pid))

    def memory(self) -> Memory:
        """The memory now."""
        return memory_of(self._process.pid)


@contextmanager
def broadcasting(kind: str, board: str) -> Iterator[Broadcaster]:
    """A server of the kind `socketio`, `ws` or `floor` that broadcasts the board, the JSON text of one event.

    Raises:
        Absent: what it needs is missing.
        PeerFailed: it did not start.
    """
    command = [str(compiled("floor.c", OUT))] if kind == "floor" else [node(), "--expose-gc", f"broadcast/{kind}.js"]
    with speaking(command, HERE, NODE_ENV="production") as process:
        process.tell(board)
        yield Broadcaster(process, process.port())
