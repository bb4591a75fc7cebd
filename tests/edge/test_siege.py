"""Every way of holding on to a server at once, beside players who score; then its end in the middle of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trio

from tests.edge.books import answers, books_of, complaints, most_of_a_kind, refused, wait_until_back
from tests.edge.players import Players
from tests.edge.siege import WAYS, Siege
from tests.served import ServedScoreboard, served, wait_for

pytestmark = pytest.mark.stores
EACH = 4
#: Ten seconds; who does not read has longer, and his test at the door. Slow bodies are answered (408).
EXPECTED = {"slow_head", "silent", "gone"}


@contextmanager
def besieged(folder: Path, workers: int) -> Iterator[ServedScoreboard]:
    """A server of one process, or of several."""
    with served(folder / "data", *(["--workers", str(workers)] if workers > 1 else [])) as running:
        if workers > 1:
            wait_for(lambda: len(books_of(running, workers).pids) == workers)
        yield running


@pytest.mark.parametrize("workers", [1, 2])
async def test_players_score_through_a_siege_and_nothing_is_left_of_it(tmp_path: Path, workers: int) -> None:
    """No request of theirs fails; each refusal is counted, each kind of them one line of the log; all is given back.

    A second siege does not keep the server from ending: within the promised time, with status 0.
    """
    with besieged(tmp_path, workers) as server:
        players, before = Players(server), books_of(server, workers)
        async with players.scoring() as scored, trio.open_nursery() as nursery:
            await nursery.start(Siege(server.port, EACH).run)
            await trio.to_thread.run_sync(wait_for, lambda: _all_are_refused(server))
            nursery.cancel_scope.cancel()
        assert ({}, True) == (scored.failed, scored.counted > 20)
        await trio.to_thread.run_sync(wait_until_back, lambda: books_of(server, workers), before)
        assert {"limits_off": 1} == complaints(server)
        async with trio.open_nursery() as nursery:
            await nursery.start(Siege(server.port, EACH).run)
            status = await trio.to_thread.run_sync(server.stop)
            nursery.cancel_scope.cancel()
        assert 0 == status
        assert {"did_not_stop_in_time", "worker_did_not_stop", "worker_failed"}.isdisjoint(complaints(server))
        assert most_of_a_kind(server) <= workers


def _all_are_refused(server: ServedScoreboard) -> bool:
    return set(refused(server)) >= EXPECTED and answers(server)["408"] > 0


def test_all_ways_are_different() -> None:
    """None stands in the list twice by mistake."""
    assert len(WAYS) == len({way.__name__ for way in WAYS})
