"""The real directory beside the plain model: whatever is done to both, each actor does the same at the same time."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import trio
from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from trio.testing import wait_all_tasks_blocked

from actors.runtime import (
    Actor,
    ActorCrashed,
    ActorError,
    ActorStopped,
    AskTimeout,
    CellOptions,
    Directory,
    MailboxFull,
    Refusal,
    TooManyActors,
)
from tests.runtime.model import (
    CAPACITY,
    IDLE_S,
    LOAD_S,
    MAX_LIVE,
    PATIENCE_S,
    POLICY,
    SAVE_S,
    WORK_S,
    Message,
    Model,
    Tie,
)
from tests.runtime.probes import Broken, No, Note, Recorder
from tests.runtime.stepper import Stepper

KINDS = st.sampled_from(["quick", "quick", "slow", "refuse", "crash", "slow crash"])
KEYS = st.sampled_from(["a", "b", "c"])


class World:
    """What the real actors leave behind."""

    def __init__(self) -> None:
        self.saved: dict[str, list[str]] = {}
        self.log: dict[str, list[tuple[float, str]]] = {}
        self.break_load: set[str] = set()
        self.break_save: set[str] = set()
        self._inside: set[str] = set()

    def note(self, key: str, text: str) -> None:
        self.log.setdefault(key, []).append((trio.current_time(), text))

    @contextmanager
    def alone(self, key: str) -> Iterator[None]:
        """At most one incarnation of a key may run any of its code."""
        assert key not in self._inside
        self._inside.add(key)
        try:
            yield
        finally:
            self._inside.remove(key)


class Till(Actor):
    """Loads a list slowly, appends to it, saves it slowly."""

    def __init__(self, key: str, world: World) -> None:
        self.key = key
        self.world = world
        self.state: list[str] = []

    async def started(self) -> None:
        with self.world.alone(self.key):
            self.world.note(self.key, "loads")
            await trio.sleep(LOAD_S)
            self._break(self.world.break_load)
            self.state = list(self.world.saved.get(self.key, []))

    async def stopped(self) -> None:
        with self.world.alone(self.key):
            self.world.note(self.key, "saves")
            await trio.sleep(SAVE_S)
            self._break(self.world.break_save)
            self.world.saved[self.key] = self.state

    def _break(self, broken: set[str]) -> None:
        if self.key in broken:
            broken.remove(self.key)
            raise Broken

    async def receive(self, message: Note) -> str:
        with self.world.alone(self.key):
            number, kind = message.text.split(":")
            self.world.note(self.key, f"takes {number}")
            if kind in WORK_S:
                self.state.append(f"half {number}")
                await trio.sleep(WORK_S[kind])
            if kind.endswith("crash"):
                raise Broken
            if kind == "refuse":
                raise No
            self.state.append(f"done {number}")
            return f"answer {number}"


def name_of(error: ActorError) -> str:
    """An error in the words of the model."""
    names = {AskTimeout: "timeout", MailboxFull: "full", TooManyActors: "too many"}
    match error:
        case Refusal():
            return "refused"
        case ActorCrashed():
            return "crashed begun" if error.begun else "crashed"
        case ActorStopped():
            return "stopped begun" if error.begun else "stopped"
    return names[type(error)]


class Real:
    """A running directory with its askers, driven step by step."""

    def __init__(self) -> None:
        self.stepper = Stepper()
        self.world = World()
        self.observer = Recorder()
        self.results: dict[int, tuple[str, float]] = {}
        self.askers: dict[int, trio.CancelScope] = {}
        self.gave_up = 0
        self.directory: Directory[str] = Directory(
            "all",
            lambda key: Till(key, self.world),
            rng=random.Random(0),
            options=CellOptions(capacity=CAPACITY, restarts=POLICY),
            observer=self.observer,
            idle_after_s=IDLE_S,
            max_live=MAX_LIVE,
            on_give_up=lambda _key, _error: self._count_give_up(),
        )
        self._stop = trio.Event()
        self._scope = trio.CancelScope()
        self._stopped = trio.Event()

    def _count_give_up(self) -> None:
        self.gave_up += 1

    async def open(self) -> None:
        self._stop, self._scope, self._stopped = trio.Event(), trio.CancelScope(), trio.Event()
        self.stepper.nursery.start_soon(self._run)
        await wait_all_tasks_blocked()

    async def _run(self) -> None:
        with self._scope:
            async with self.directory.running():
                await self._stop.wait()
        self._stopped.set()

    async def end(self, *, kill: bool) -> None:
        if kill:
            self._scope.cancel()
        else:
            self._stop.set()
        await wait_all_tasks_blocked()

    @property
    def has_ended(self) -> bool:
        return self._stopped.is_set()

    async def tell(self, key: str, messages: Sequence[Message]) -> list[str]:
        heard = []
        for message in messages:
            try:
                self.directory.tell(key, Note(f"{message.id}:{message.kind}"))
                heard.append("taken")
            except ActorError as error:
                heard.append(name_of(error))
        return heard

    async def ask(self, key: str, messages: Sequence[Message], within: float) -> list[int]:
        """Ask all at once; returns the ids in the order of their arrival."""
        order: list[int] = []
        for message in messages:
            self.stepper.nursery.start_soon(self._ask, key, message, within, order)
        await wait_all_tasks_blocked()
        return order

    async def _ask(self, key: str, message: Message, within: float, order: list[int]) -> None:
        result = "cancelled"
        with trio.CancelScope() as self.askers[message.id]:
            order.append(message.id)
            try:
                result = await self.directory.ask(key, Note(f"{message.id}:{message.kind}"), within=within)
            except ActorError as error:
                result = name_of(error)
        assert message.id not in self.results
        self.results[message.id] = (result, trio.current_time())


class DirectoryBesideModel(RuleBasedStateMachine):
    """Every rule does one thing to both; the invariants compare all that can be seen of them."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.real = Real()
        self.refused: dict[int, tuple[str, float]] = {}
        self.told: list[int] = []
        self.ids = iter(range(10_000))
        self.opened_at = 0.0

    @initialize()
    def begin(self) -> None:
        self._open()

    def _open(self) -> None:
        self.real.stepper.run(self.real.open)
        self.model.open()
        self.opened_at = self.model.now
        self._sleep_until(self.model.now + 0.5)

    def _sleep_until(self, time: float) -> None:
        async def sleep() -> None:
            await self.real.stepper.sleep_until(time)

        try:
            self.model.sleep_until(time)
        except Tie:
            assume(False)
        self.real.stepper.run(sleep)

    @rule(key=KEYS, kinds=st.lists(KINDS, min_size=1, max_size=4))
    def tell(self, key: str, kinds: list[str]) -> None:
        messages = [Message(next(self.ids), kind) for kind in kinds]

        async def tell() -> list[str]:
            return await self.real.tell(key, messages)

        heard = self.real.stepper.run(tell)
        assert heard == self.model.send(key, messages)
        self.told += [message.id for message, word in zip(messages, heard, strict=True) if word == "taken"]

    @rule(key=KEYS, kinds=st.lists(KINDS, min_size=1, max_size=4), patience=st.sampled_from([0, 1, 2, 3, 20]))
    def ask(self, key: str, kinds: list[str], patience: int) -> None:
        within = patience + PATIENCE_S
        messages = [Message(next(self.ids), kind, self.model.now + within) for kind in kinds]

        async def ask() -> list[int]:
            return await self.real.ask(key, messages, within)

        order = self.real.stepper.run(ask)
        messages.sort(key=lambda message: order.index(message.id))
        for message, word in zip(messages, self.model.send(key, messages), strict=True):
            if word != "taken":
                self.refused[message.id] = (word, self.model.now)

    @rule(data=st.data())
    @precondition(lambda self: any(message.result is None for message in self.model.asked.values()))
    def cancel_an_asker(self, data: st.DataObject) -> None:
        waiting = [message for message in self.model.asked.values() if message.result is None]
        message = data.draw(st.sampled_from(waiting))

        async def cancel() -> None:
            self.real.askers[message.id].cancel()

        self.real.stepper.run(cancel)
        self.model.cancel(message)

    @rule(key=KEYS)
    def break_the_next_load(self, key: str) -> None:
        self.model.break_load.add(key)
        self.real.world.break_load.add(key)

    @rule(key=KEYS)
    def break_the_next_save(self, key: str) -> None:
        self.model.break_save.add(key)
        self.real.world.break_save.add(key)

    @rule(seconds=st.sampled_from([1, 2, 3, 5, 8]))
    def pass_time(self, seconds: int) -> None:
        self._sleep_until(self.model.now + seconds)

    @rule()
    def pass_a_second(self) -> None:
        self._sleep_until(self.model.now + 1)

    @precondition(lambda self: self.model.now > self.opened_at + 6)  # else hardly anything would live long enough
    @rule(kill=st.booleans())
    def stop_and_begin_anew(self, *, kill: bool) -> None:
        async def end() -> None:
            await self.real.end(kill=kill)

        self.real.stepper.run(end)
        if kill:
            self.model.kill()
        else:
            self.model.stop()
        self._sleep_until(math.floor(self.model.now + 8))
        assert self.real.has_ended
        assert self.real.directory.live == 0
        self.both_did_the_same()
        self._open()

    @invariant()
    def both_did_the_same(self) -> None:
        assert self.real.world.log == self.model.log
        assert self.real.world.saved == self.model.saved
        assert self.real.directory.live == self.model.live
        assert self.real.directory.waiting == self.model.waiting

    @invariant()
    def each_ask_ended_as_it_should(self) -> None:
        ended = {
            message.id: (message.result, message.at)
            for message in self.model.asked.values()
            if message.result is not None
        }
        assert self.real.results == {**ended, **self.refused}

    @invariant()
    def everything_was_counted(self) -> None:
        observer = self.real.observer
        real = {kind: observer.count(kind) for kind in ("expired", "dropped", "mailbox_full")}
        assert {**real, "gave up": self.real.gave_up} == self.model.counts
        delays: dict[str, list[float | None]] = {}
        for _, name, _, delay in observer.of("crashed"):
            delays.setdefault(name.removeprefix("all/"), []).append(delay)
        assert delays == self.model.delays
        assert observer.count("stop_timed_out") == 0

    @invariant()
    def no_message_was_lost_or_doubled(self) -> None:
        """Said once more without the model: a tell is begun once, waits, or was dropped; nothing is begun twice."""
        taken = Counter(text for entries in self.real.world.log.values() for _, text in entries if "takes" in text)
        assert set(taken.values()) <= {1}
        begun = sum(f"takes {number}" in taken for number in self.told)
        tells_waiting = sum(
            not request.asked for cell in self.real.directory._cells.values() for request in cell._mailbox._queue
        )
        assert begun + tells_waiting + self.real.observer.count("dropped") == len(self.told)

    def teardown(self) -> None:
        self.real.stepper.close()


TestDirectoryBesideModel = DirectoryBesideModel.TestCase
TestDirectoryBesideModel.settings = settings(
    max_examples=150,
    stateful_step_count=30,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
