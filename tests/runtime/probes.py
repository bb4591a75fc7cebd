"""An actor that does as it is told and keeps a diary, an asker that notes how it fared, an observer that remembers."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import trio

from actors.runtime import (
    Actor,
    ActorError,
    AnyActor,
    BatchActor,
    CellOptions,
    Directory,
    Observer,
    Question,
    Ref,
    Refusal,
    Request,
    RestartPolicy,
    running_actor,
)

#: No jitter, so that the times are exact.
EXACT = RestartPolicy(first_s=1, factor=2, cap_s=8, jitter=0, max_restarts=5, within_s=60)


class No(Refusal):
    code = "NO"


class Broken(Exception):
    pass


@dataclass(frozen=True, slots=True)
class Note(Question[str]):
    """Write `text` into the diary; answered with it."""

    text: str


@dataclass(frozen=True, slots=True)
class Slow(Question[str]):
    """As Note, but the answer takes a while."""

    text: str
    for_s: float


@dataclass(frozen=True, slots=True)
class Crash(Question[str]):
    text: str = "crash"


@dataclass(frozen=True, slots=True)
class Refuse(Question[str]):
    text: str = "no"


@dataclass(frozen=True, slots=True)
class Call(Question[Any]):
    """Await something inside of the actor; answered with its result."""

    function: Callable[[], Awaitable[Any]]


async def nothing() -> None:
    """A hook that does nothing."""


class Probe(Actor):
    def __init__(
        self,
        diary: list[str],
        *,
        started: Callable[[], Awaitable[None]] = nothing,
        stopped: Callable[[], Awaitable[None]] = nothing,
    ) -> None:
        self.diary = diary
        self._started = started
        self._stopped = stopped

    async def started(self) -> None:
        self.diary.append("started")
        await self._started()

    async def stopped(self) -> None:
        self.diary.append("stopped")
        await self._stopped()

    async def receive(self, message: Any) -> Any:
        match message:
            case Note(text):
                self.diary.append(text)
                return text
            case Slow(text, for_s):
                self.diary.append(text)
                await trio.sleep(for_s)
                return text
            case Refuse(text):
                raise No(text)
            case Crash(text):
                raise Broken(text)
            case Call(function):
                return await function()
        raise TypeError(message)


class Holder(BatchActor):
    """Notes the sizes of its batches. Keeps what it was asked in `held`; a Crash crashes it."""

    def __init__(self, *, max_batch: int = 1000) -> None:
        self.max_batch = max_batch
        self.batches: list[list[str]] = []
        self.held: list[Request] = []
        self.diary: list[str] = []

    async def receive_batch(self, requests: Sequence[Request]) -> None:
        self.batches.append([request.message.text for request in requests])
        for request in requests:
            if isinstance(request.message, Crash):
                raise Broken(request.message.text)
            if isinstance(request.message, Slow):
                await trio.sleep(request.message.for_s)
                request.answer(request.message.text)
            else:
                self.held.append(request)

    async def stopped(self) -> None:
        self.diary.append("stopped")


class Recorder(Observer):
    """Remembers what the runtime tells, as tuples."""

    def __init__(self) -> None:
        self.seen: list[tuple[Any, ...]] = []

    def activated(self, name: str) -> None:
        self.seen.append(("activated", name))

    def ended(self, name: str) -> None:
        self.seen.append(("ended", name))

    def crashed(self, name: str, error: BaseException, delay_s: float | None) -> None:
        self.seen.append(("crashed", name, error, delay_s))

    def mailbox_full(self, name: str) -> None:
        self.seen.append(("mailbox_full", name))

    def expired(self, name: str) -> None:
        self.seen.append(("expired", name))

    def dropped(self, name: str) -> None:
        self.seen.append(("dropped", name))

    def stop_timed_out(self, name: str) -> None:
        self.seen.append(("stop_timed_out", name))

    def count(self, kind: str) -> int:
        return len(self.of(kind))

    def of(self, kind: str) -> list[tuple[Any, ...]]:
        return [seen for seen in self.seen if seen[0] == kind]

    @property
    def delays(self) -> list[float | None]:
        return [seen[3] for seen in self.of("crashed")]

    @property
    def faults(self) -> list[BaseException]:
        return [seen[2] for seen in self.of("crashed")]


@dataclass
class Asker:
    """Asks, and notes the answer or the error, and when it came."""

    result: Any = None
    at: float | None = None
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)

    async def ask(self, ref: Ref, message: Question[Any], within: float = 30) -> None:
        with self.scope:
            try:
                self.result = await ref.ask(message, within=within)
            except ActorError as error:
                self.result = error
            self.at = trio.current_time()


def asking(nursery: trio.Nursery, ref: Ref, message: Question[Any], within: float = 30) -> Asker:
    """Ask in a task of its own."""
    asker = Asker()
    nursery.start_soon(asker.ask, ref, message, within)
    return asker


def solo(
    make: Callable[[], AnyActor],
    *,
    observer: Observer | None = None,
    capacity: int = 100,
    stop_within_s: float = 5,
    start_within_s: float = 10,
    restarts: RestartPolicy = EXACT,
) -> AbstractAsyncContextManager[Ref]:
    """One actor named "probe"."""
    options = CellOptions(
        capacity=capacity, stop_within_s=stop_within_s, start_within_s=start_within_s, restarts=restarts
    )
    return running_actor("probe", make, rng=random.Random(0), options=options, observer=observer)


@asynccontextmanager
async def directory_of(
    make: Callable[[str], AnyActor], *, options: CellOptions | None = None, **rest: Any
) -> AsyncIterator[Directory[str]]:
    """A running directory named "all"."""
    bounds = options or CellOptions(restarts=EXACT)
    directory: Directory[str] = Directory("all", make, rng=random.Random(0), options=bounds, **rest)
    async with directory.running():
        yield directory
