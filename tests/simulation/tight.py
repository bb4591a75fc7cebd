"""Bounds of the product, made so small that few players meet them: what overflows, is cut in pieces or is forgotten."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from unittest.mock import patch

from actors.leaderboard.rereading import Rereading
from actors.ledger.follower import FollowerWorld
from actors.ledger.listener import ListenerWorld
from actors.ledger.world import LedgerWorld
from actors.runtime import CellOptions, RestartPolicy

FOREVER = RestartPolicy(max_restarts=100_000)

#: By kind, each drawn by itself: what is patched, where it is looked up, and with what.
TIGHT: dict[str, dict[str, object]] = {
    "pieces": {
        "actors.leaderboard.actor.SLICE": 1,
        "actors.leaderboard.crowd.SLICE": 1,
        "actors.leaderboard.neighbours.SLICE": 1,
        "actors.leaderboard.loading.SLICE": 1,
        "actors.leaderboard.section.DOUBTS": 1,
        "actors.leaderboard.actor.Rereading": partial(Rereading, 2),
        "actors.leaderboard.rebuilding.PAGE": 2,
        "actors.ledger.follower.PIECE": 1,
        "actors.ledger.follower.BATCHES": 1,
        "actors.ledger.listener.ENTRIES": 1,
        "actors.ledger.publisher.ENTRY": 1,
        "actors.ledger.standing.SUSPECTS": 1,
    },
    "memory": {
        "actors.ledger.known.MOST_AHEAD": 1,
        "actors.ledger.follower.MOST_CHANGES": 1,
        "actors.ledger.accounts.UNANNOUNCED": 1,
        "actors.leaderboard.section.MOST_CHANGED": 0,
        "actors.leaderboard.showing.CLOSED": 0,
        "actors.connection.screen.MOST_UNTOLD": 1,
        "actors.user.answers.REMEMBERED": 1,
        "scoreboard.server.following.FollowerWorld": partial(FollowerWorld, most_behind=2, max_unapplied=1),
    },
    "ledger": {
        "scoreboard.server.core.LedgerWorld": partial(
            LedgerWorld, max_in_doubt=7, max_unapplied=1, max_waiting_rows=8, round_rows=2
        ),
        "actors.ledger.seconds.MOST": 1,
    },
    "mailboxes": {
        "scoreboard.server.boards.BOARD_OPTIONS": CellOptions(capacity=2, start_within_s=120.0),
        "scoreboard.server.boards.AUDIENCE_OPTIONS": CellOptions(capacity=2),
        "scoreboard.server.core.LEDGER_OPTIONS": CellOptions(capacity=3),
        "scoreboard.server.core.PUBLISHER_OPTIONS": CellOptions(capacity=2, restarts=FOREVER),
    },
    "idleness": {
        "scoreboard.server.core.USER_IDLE_S": 1.0,
        "scoreboard.server.boards.BOARD_IDLE_S": 2.0,
        "scoreboard.server.boards.AUDIENCE_IDLE_S": 0.5,
    },
}

#: What takes less time to simulate: the listener waits longer for an entry, which comes at once when there is one.
SELDOM: dict[str, object] = {"scoreboard.server.following.ListenerWorld": partial(ListenerWorld, wait_s=2.5)}


def drawn(rng: random.Random) -> tuple[str, ...]:
    """Mostly none, sometimes several."""
    if rng.random() < 0.6:
        return ()
    return tuple(kind for kind in TIGHT if rng.random() < 0.4)


@contextmanager
def tightened(kinds: tuple[str, ...], *, seldom: bool) -> Iterator[None]:
    """While the body runs."""
    with ExitStack() as stack:
        for bounds in (SELDOM if seldom else {}, *(TIGHT[kind] for kind in kinds)):
            for target, value in bounds.items():
                stack.enter_context(patch(target, value))
        yield
