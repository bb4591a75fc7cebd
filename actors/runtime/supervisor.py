"""Supervision as shapes of nurseries: who is restarted when somebody fails."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

import trio

from actors.runtime.faults import split_fault
from actors.runtime.observer import Observer
from actors.runtime.restarts import RestartHistory, RestartPolicy


@dataclass(frozen=True, slots=True)
class Child:
    """Something to keep running: a name for the logs, and an async function that begins it anew each time."""

    name: str
    run: Callable[[], Awaitable[None]]


async def keep_running(child: Child, *, policy: RestartPolicy, observer: Observer, rng: random.Random) -> None:
    """Run a child until it returns; after a failure, pause as the policy says and begin again.

    Raises:
        GaveUp: it failed more often than the policy allows.
    """
    history = RestartHistory(child.name, policy, rng)
    while True:
        try:
            await child.run()
        except BaseException as caught:
            fault, passing = split_fault(caught)
            if fault is not None and passing is not None:
                observer.crashed(child.name, fault, None)
            if fault is None or passing is not None:
                raise
            failure = fault
        else:
            return
        await trio.sleep(_pause(child.name, failure, history, observer))


def _pause(name: str, fault: Exception, history: RestartHistory, observer: Observer) -> float:
    try:
        delay = history.after(fault, trio.current_time())
    except BaseException:
        observer.crashed(name, fault, None)
        raise
    observer.crashed(name, fault, delay)
    return delay


async def one_for_one(
    children: Sequence[Child], *, policy: RestartPolicy, observer: Observer, rng: random.Random
) -> None:
    """Run children side by side; one that fails is restarted alone. Returns when all have returned.

    Raises:
        ExceptionGroup: with a `GaveUp` for each child that failed too often; the others have been cancelled.
    """
    async with trio.open_nursery() as nursery:
        for child in children:
            nursery.start_soon(partial(keep_running, child, policy=policy, observer=observer, rng=rng))


async def all_for_one(
    name: str, children: Sequence[Child], *, policy: RestartPolicy, observer: Observer, rng: random.Random
) -> None:
    """Run children that cannot do without each other; when one fails, all are cancelled and begun anew together.

    Raises:
        GaveUp: there were more failures than the policy allows.
    """

    async def together() -> None:
        async with trio.open_nursery() as nursery:
            for child in children:
                nursery.start_soon(child.run, name=child.name)

    await keep_running(Child(name, together), policy=policy, observer=observer, rng=rng)
