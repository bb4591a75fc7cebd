"""What those share who ask a store for others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import trio

from actors.ledger.messages import LedgerUnavailable
from actors.ports import StoreError, StoreUnavailable
from actors.runtime import BatchActor, Refusal, Request

R = TypeVar("R")

#: A write that may or may not have been done is made again after these pauses, in seconds.
PAUSES_S = (0.05, 0.2, 0.5)


class StoreAsker(BatchActor):
    """Asks a store for all that wait side by side: what is slow delays no other of its batch.

    A store that does not answer within `store_within_s`, or is away, refuses with the sentence `away`.
    """

    max_batch = 32

    def __init__(self, *, store_within_s: float, away: str) -> None:
        self._store_within_s = store_within_s
        self._away = away

    async def receive_batch(self, requests: Sequence[Request]) -> None:
        """Answer all; a store that is away refuses."""
        async with trio.open_nursery() as nursery:
            for request in requests:
                nursery.start_soon(self._serve, request)

    async def _serve(self, request: Request) -> None:
        try:
            with trio.fail_after(self._store_within_s):
                request.answer(await self._answer(request.message))
        except Refusal as refusal:
            request.fail(refusal)
        except (StoreError, trio.TooSlowError) as error:
            away = LedgerUnavailable(self._away)
            away.__cause__ = error
            request.fail(away)

    async def _answer(self, message: object) -> object:
        """What this message asks for. Raise a `Refusal` or a `StoreError` to say No; all else ends the incarnation."""
        raise NotImplementedError


async def insist(call: Callable[[], Awaitable[R]]) -> R:
    """Make a write, some times over while the store is away: by its promise it then gives the same answer."""
    for pause_s in PAUSES_S:
        try:
            return await call()
        except StoreUnavailable:
            await trio.sleep(pause_s)
    return await call()
