"""One process of a worker from its start to its end, as the parent sees it."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable
from typing import Protocol

import trio

from scoreboard.observe.logs import Logger
from scoreboard.server.crew.line import ALIVE, BEAT_S, LAST_WORDS, READY, STEP
from scoreboard.server.crew.process import in_words
from scoreboard.server.crew.rules import CrewRules

#: What is kept of a worker's last words, in bytes.
WORDS_BYTES = 2000
#: After so long without a word the log says so; the bound at which it is killed is a rule of the crew.
NOTED_S = 5.0


class Line(Protocol):
    """What a worker says to its parent, and is told by it; see `scoreboard.server.crew.line`."""

    async def heard(self) -> bytes:
        """What it has said since; nothing when it is gone."""
        ...

    def rest(self) -> bytes:
        """What it had said before it ended, without waiting."""
        ...

    def hand_over(self, listening: list[int]) -> None:
        """Let it accept from these sockets."""
        ...

    def close(self) -> None:
        """It is gone, or to be let go."""
        ...


class Worker(Protocol):
    """One that was started just now; see `scoreboard.server.crew.process`."""

    @property
    def pid(self) -> int:
        """Of its process."""
        ...

    @property
    def line(self) -> Line:
        """The line to it."""
        ...

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        ...

    async def ended(self) -> int:
        """Wait for its end; its exit status, or the number of the signal that ended it, negative."""
        ...

    def tell(self, number: signal.Signals) -> None:
        """Send it a signal, if it is still there."""
        ...

    def tell_to_stop(self) -> None:
        """In good order; told twice, at once."""
        ...


class Life:
    """That of one process.

    Attributes:
        is_ready: It has said that it can serve, and has the port.
        status: With which it has ended; None while it has not.

    Args:
        number: Which worker it is, for people.
        seat: Which socket is its own: no two that live have the same.
        worker: The process.
        rules: How long it may be silent, and how long its start may be stuck, before it is killed.
        log: Says so.
    """

    def __init__(self, number: int, seat: int, worker: Worker, rules: CrewRules, log: Logger) -> None:
        self.number = number
        self.seat = seat
        self.worker = worker
        self.began = trio.current_time()
        self.is_ready = False
        self.status: int | None = None
        self._spoke = False
        self._words: bytes | None = None
        self._stuck_s = 0.0
        self._rules = rules
        self._log = log

    def __repr__(self) -> str:
        state = "over" if self.is_over else "ready" if self.is_ready else "starting"
        return f"<Life of worker {self.number}, seat {self.seat}, pid {self.worker.pid}, {state}>"

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.status is not None

    @property
    def up_s(self) -> float:
        """For how long it is there."""
        return trio.current_time() - self.began

    @property
    def how(self) -> str:
        """How it has ended, with its own last words, if it had time for some."""
        said = (self._words or b"").decode("utf-8", "replace").strip()
        return f"worker {self.number} ended with {in_words(self.status or 0)}{': ' if said else ''}{said}"

    async def run(self, let_in: Callable[[Life], Awaitable[None]]) -> None:
        """To its end; `let_in` is called when it says that it is ready."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._listen, let_in)
            status = await self.worker.ended()
            nursery.cancel_scope.cancel()
        self._take(self.worker.line.rest())
        self.worker.line.close()
        self.status = status

    async def _listen(self, let_in: Callable[[Life], Awaitable[None]]) -> None:
        """Until it is gone; one that is silent for too long, or whose start does not get any further, is killed."""
        silent_s = 0.0
        while silent_s < self._rules.silent_s and not self._is_stuck:
            said: bytes | None = None
            with trio.move_on_after(BEAT_S):
                said = await self.worker.line.heard()
            if said == b"":
                return
            if said:
                self._note_return(silent_s)
                silent_s, self._spoke = 0.0, True
                self._count(said)
                if self._take(said):
                    await let_in(self)
            else:
                silent_s += BEAT_S
                self._note_silence(silent_s)
        self._note_end(silent_s)
        self.worker.tell(signal.SIGKILL)

    @property
    def _is_stuck(self) -> bool:
        return not self.is_ready and self._stuck_s >= self._rules.stuck_s

    def _count(self, said: bytes) -> None:
        """By its own signs of life: no time counts in which the machine slept, or this process did not run."""
        _, step, since = said.rpartition(STEP)
        self._stuck_s = (0.0 if step else self._stuck_s) + since.count(ALIVE) * BEAT_S

    def _note_end(self, silent_s: float) -> None:
        told = {"worker": self.number, "pid": self.worker.pid}
        if not self._is_stuck:
            self._log.error("worker_hangs", **told, silent_s=silent_s)
            return
        self._words = f"it was starting, and got no further for {self._stuck_s:g} s".encode()
        remedy = "its own lines in this log say how far it came; what it reads then, as files and keys, may hang"
        self._log.error("worker_does_not_start", **told, stuck_s=self._stuck_s, remedy=remedy)

    def _take(self, said: bytes) -> bool:
        """Whether it says that it is ready."""
        if self._words is not None:
            self._words = (self._words + said)[:WORDS_BYTES]
            return False
        signs, marker, words = said.partition(LAST_WORDS)
        if marker:
            self._words = words
        return READY in signs

    def _note_silence(self, silent_s: float) -> None:
        if silent_s == NOTED_S and self._spoke:  # one that is being loaded has said nothing yet
            told = {
                "worker": self.number,
                "pid": self.worker.pid,
                "silent_s": silent_s,
                "killed_at_s": self._rules.silent_s,
            }
            meaning = "it is stopped, or its event loop hangs; its connections wait, new ones go to the others"
            self._log.warning("worker_silent", **told, meaning=meaning)

    def _note_return(self, silent_s: float) -> None:
        if silent_s >= NOTED_S and self._spoke:
            self._log.info("worker_speaks_again", worker=self.number, pid=self.worker.pid, silent_s=silent_s)
