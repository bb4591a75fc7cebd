"""What a directory does, as a plain machine without tasks: one message, one event, one moment at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from actors.runtime import RestartPolicy

# Binary fractions that keep unlike events from falling on one moment: sweeps on whole seconds, commands on halves,
# deadlines beside everything else.
LOAD_S = 1.0
SAVE_S = 1 + 1 / 16
WORK_S = {"slow": 2.0, "slow crash": 1.0}
PATIENCE_S = 1 / 128
IDLE_S = 4.0
SWEEP_S = 1.0
POLICY = RestartPolicy(first_s=1 + 1 / 64, factor=2, cap_s=100, jitter=0, max_restarts=3, within_s=60)
CAPACITY = 3
MAX_LIVE = 2


@dataclass
class Message:
    """A `deadline` of infinity is that of a tell. `result` and `at` are what its asker got, and when."""

    id: int
    kind: str
    deadline: float = math.inf
    result: str | None = None
    at: float | None = None

    @property
    def asked(self) -> bool:
        return self.deadline < math.inf

    def settle(self, result: str, now: float) -> None:
        """Only the first counts."""
        if self.asked and self.result is None:
            self.result, self.at = result, now


@dataclass
class Life:
    """The actor of one key: what it does now, and until when."""

    phase: str = "absent"  # absent, loading, idle, busy, saving, pausing
    until: float = math.inf
    wish: str = "live"  # live, rest, stop
    at_rest: bool = False  # it agreed to rest, and has not begun again since
    queue: list[Message] = field(default_factory=list)
    in_hand: Message | None = None
    state: list[str] = field(default_factory=list)
    failures: list[float] = field(default_factory=list)
    last_used: float = 0.0


class Tie(Exception):
    """Two events at one moment whose order is free and makes a difference."""


class Model:
    """All keys. `log` holds what each actor does and when, `saved` what would be in the store."""

    def __init__(self) -> None:
        self.now = 0.0
        self.next_sweep = math.inf
        self.lives: dict[str, Life] = {}
        self.saved: dict[str, list[str]] = {}
        self.log: dict[str, list[tuple[float, str]]] = {}
        self.asked: dict[int, Message] = {}
        self.counts = {"expired": 0, "dropped": 0, "mailbox_full": 0, "gave up": 0}
        self.delays: dict[str, list[float | None]] = {}
        self.break_load: set[str] = set()
        self.break_save: set[str] = set()

    # --- commands ---

    def open(self) -> None:
        self.next_sweep = self.now + SWEEP_S

    def send(self, key: str, messages: list[Message]) -> list[str]:
        """All arrive before the actor looks; returns what the sender hears at once for each."""
        life = self.lives.setdefault(key, Life())
        heard = [self._take(key, life, message) for message in messages]
        if life.phase == "idle":
            self._serve(key, life)
        return heard

    def _take(self, key: str, life: Life, message: Message) -> str:
        if life.phase == "absent":
            if self.live >= MAX_LIVE:
                return "too many"
            self._activate(key, life)
        if len(life.queue) >= CAPACITY:
            self.counts["mailbox_full"] += 1
            return "full"
        life.queue.append(message)
        life.last_used = self.now
        life.wish = "live"
        if message.asked:
            self.asked[message.id] = message
        return "taken"

    def cancel(self, message: Message) -> None:
        message.settle("cancelled", self.now)

    def stop(self) -> None:
        for key, life in self.lives.items():
            if life.phase == "absent":
                continue
            life.wish = "stop"
            self._drop_queue(life)
            if life.phase == "idle":
                self._save(key, life)
            elif life.phase == "pausing":
                self._end(life)
        self.next_sweep = math.inf

    def kill(self) -> None:
        """A cancellation: what is in the middle of something is lost, what is whole is saved."""
        for life in self.lives.values():
            if life.phase in ("loading", "busy"):
                if life.in_hand is not None:
                    life.in_hand.settle("stopped begun", self.now)
                self._drop_queue(life)
                self._end(life)
        self.stop()

    # --- time ---

    @property
    def live(self) -> int:
        return sum(life.phase != "absent" for life in self.lives.values())

    @property
    def waiting(self) -> int:
        return sum(len(life.queue) for life in self.lives.values())

    def sleep_until(self, time: float) -> None:
        """Let everything happen up to and at that time."""
        while (event := self._next_event()) <= time:
            self.now = event
            self._happen()
        self.now = time

    def _next_event(self) -> float:
        deadlines = [message.deadline for message in self.asked.values() if message.result is None]
        return min([self.next_sweep, *deadlines, *(life.until for life in self.lives.values())])

    def _happen(self) -> None:
        for message in self.asked.values():
            if message.deadline <= self.now:
                message.settle("timeout", self.now)
        for key, life in self.lives.items():
            if life.until <= self.now:
                if life.phase == "pausing" and self.next_sweep <= self.now:
                    raise Tie
                life.until = math.inf
                getattr(self, f"_after_{life.phase}")(key, life)
        if self.next_sweep <= self.now:
            self.next_sweep += SWEEP_S
            self._sweep()

    def _sweep(self) -> None:
        for key, life in self.lives.items():
            if life.phase != "absent" and life.last_used <= self.now - IDLE_S:
                life.last_used = self.now
                life.wish = "rest"
                if life.phase == "idle":
                    self._save(key, life)

    # --- one life ---

    def _note(self, key: str, text: str) -> None:
        self.log.setdefault(key, []).append((self.now, text))

    def _activate(self, key: str, life: Life) -> None:
        life.phase, life.until, life.wish, life.at_rest = "loading", self.now + LOAD_S, "live", False
        self._note(key, "loads")

    def _after_loading(self, key: str, life: Life) -> None:
        if key in self.break_load:
            self.break_load.remove(key)
            self._crash(key, life)
            return
        life.state = list(self.saved.get(key, []))
        self._serve(key, life)

    def _serve(self, key: str, life: Life) -> None:
        life.phase = "idle"
        while life.queue:
            message = life.queue.pop(0)
            if message.result is not None:
                self.counts["expired"] += 1
                continue
            self._note(key, f"takes {message.id}")
            life.in_hand = message
            if message.kind in WORK_S:
                life.state.append(f"half {message.id}")
                life.phase, life.until = "busy", self.now + WORK_S[message.kind]
                return
            if not self._finish(key, life):
                return
        if life.wish != "live":
            self._save(key, life)

    def _after_busy(self, key: str, life: Life) -> None:
        if self._finish(key, life):
            self._serve(key, life)

    def _finish(self, key: str, life: Life) -> bool:
        """The message in hand is done; False if it was the end of this incarnation."""
        message = life.in_hand
        assert message is not None
        if message.kind.endswith("crash"):
            message.settle("crashed begun", self.now)
            self._crash(key, life)
            return False
        if message.kind == "refuse":
            message.settle("refused", self.now)
        else:
            life.state.append(f"done {message.id}")
            message.settle(f"answer {message.id}", self.now)
        life.in_hand = None
        return True

    def _crash(self, key: str, life: Life) -> None:
        life.in_hand, life.state = None, []
        for message in life.queue:
            message.settle("crashed", self.now)
        life.queue = [message for message in life.queue if not message.asked]
        delays = self.delays.setdefault(key, [])
        life.failures = [at for at in life.failures if at > self.now - POLICY.within_s] + [self.now]
        if life.wish == "stop":
            delays.append(None)
            self._end(life)
        elif len(life.failures) > POLICY.max_restarts:
            delays.append(None)
            self.counts["gave up"] += 1
            self._drop_queue(life)
            self._end(life)
        else:
            delays.append(POLICY.delays()[len(life.failures) - 1])
            life.phase, life.until = "pausing", self.now + POLICY.delays()[len(life.failures) - 1]

    def _after_pausing(self, key: str, life: Life) -> None:
        self._go_on(key, life)

    def _save(self, key: str, life: Life) -> None:
        life.phase, life.until, life.at_rest = "saving", self.now + SAVE_S, life.wish == "rest"
        self._note(key, "saves")

    def _after_saving(self, key: str, life: Life) -> None:
        if key in self.break_save:
            self.break_save.remove(key)
            self._crash(key, life)
            return
        self.saved[key] = life.state
        self._go_on(key, life)

    def _go_on(self, key: str, life: Life) -> None:
        if life.wish == "stop" or (life.wish == "rest" and life.at_rest and not life.queue):
            self._end(life)
        else:
            self._activate(key, life)

    def _end(self, life: Life) -> None:
        life.phase, life.until, life.wish = "absent", math.inf, "live"
        life.in_hand, life.state, life.failures = None, [], []

    def _drop_queue(self, life: Life) -> None:
        for message in life.queue:
            message.settle("stopped", self.now)
            self.counts["dropped"] += not message.asked
        life.queue = []
