"""Batches that wait for their turn, so that single scores never wait for all of them."""

from __future__ import annotations

from collections import deque

import trio

from actors.ledger.messages import LedgerUnavailable
from actors.runtime import Request

BUSY = "Too many scores wait to be written. Nothing was done; send the same batch again in a moment."
UNCONFIRMED = "The batch could not be confirmed. Send the same rows again: each counts once."


class WaitingBatches:
    """First come, first served; each round takes few of them, and at most `bound` rows wait."""

    __slots__ = ("_bound", "_queue", "_rows")

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._queue: deque[Request] = deque()
        self._rows = 0

    def __len__(self) -> int:
        return len(self._queue)

    def __repr__(self) -> str:
        return f"<WaitingBatches {len(self._queue)}, {self._rows} rows>"

    def put(self, request: Request) -> None:
        """Let a batch wait; one too many is refused, and may come again."""
        rows = len(request.message.writes)
        if self._rows + rows > self._bound:
            request.fail(LedgerUnavailable(BUSY))
            return
        self._queue.append(request)
        self._rows += rows

    def share(self, most_rows: int, room: int) -> list[Request]:
        """Whole batches for one round: at least one, and no more than `most_rows` rows if it is not a single one.

        What nobody waits for any more is not begun. What has more rows than there is `room` is refused.
        """
        share: list[Request] = []
        rows, now = 0, trio.current_time()
        while self._queue:
            size = len(self._queue[0].message.writes)
            if share and rows + size > most_rows:
                break
            request = self._queue.popleft()
            self._rows -= size
            if request.expired(now):
                continue
            if rows + size > room:
                request.fail(LedgerUnavailable(UNCONFIRMED))
                continue
            share.append(request)
            rows += size
        return share
