"""Honest players who score while somebody else does what he likes."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import trio

from tests.served import Player, ServedScoreboard

COUNT = 3


@dataclass(slots=True)
class Scored:
    """What became of their scores; of those that failed, how often each answer."""

    counted: int = 0
    failed: Counter[str] = field(default_factory=Counter)


class Players:
    """A few of them, registered, each on a connection that is kept."""

    def __init__(self, server: ServedScoreboard) -> None:
        self._players = [Player(server, f"Honest{number}") for number in range(COUNT)]

    @asynccontextmanager
    async def scoring(self, every_s: float = 0.05) -> AsyncIterator[Scored]:
        """They score, one after the other, until the body ends; then each has exactly what was acknowledged."""
        scored, over = Scored(), trio.Event()
        before = sum(player.points() for player in self._players)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._score, scored, over, every_s)
            try:
                yield scored
            finally:
                over.set()
        assert before + scored.counted == sum(player.points() for player in self._players)

    async def _score(self, scored: Scored, over: trio.Event, every_s: float) -> None:
        while not over.is_set():
            for player in self._players:
                token = await trio.to_thread.run_sync(player.token)
                answer = await trio.to_thread.run_sync(partial(player.increment, token))
                if answer.is_success:
                    scored.counted += 1
                else:
                    scored.failed[f"{answer.status_code} {answer.text}"] += 1
            with trio.move_on_after(every_s):
                await over.wait()
