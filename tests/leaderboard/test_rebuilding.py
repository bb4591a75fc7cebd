"""A board that is read anew from the store while it is shown."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from actors.leaderboard import rebuilding
from actors.leaderboard.messages import Rebuild
from actors.ports import ALL_TIME, StoreUnavailable, UserId
from tests.leaderboard.stage import Watcher, clients_of, running_stage

NAMES = "abcdefghijklmnopqrstuvwxyz"


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that much comes between two of them."""
    monkeypatch.setattr(rebuilding, "PAGE", 3)


async def test_what_no_fact_can_mend_is_right_after_a_rebuilding(autojump_clock: MockClock) -> None:
    """A score that was changed by hand without a version, a player who is gone: whoever watches sees a new epoch."""
    async with running_stage(*NAMES) as stage:
        await stage.score(*"aaabbc")
        watcher = Watcher()
        await stage.watch(watcher)
        rows = stage.store.players.rows
        rows[UserId("b")].score = 7
        del rows[UserId("a")]
        before = watcher.seen[-1].full.epoch
        stage.board.tell(Rebuild())
        await trio.sleep(2)
        assert [("b", 7), ("c", 1)] == (await stage.rows(ALL_TIME))[:2]
        assert [("b", 7), ("c", 1), ("d", 0)] == [(row.user_id, row.score) for row in clients_of(watcher).rows]
        assert before != watcher.seen[-1].full.epoch


async def test_scores_that_come_while_a_board_is_rebuilt_are_on_it(autojump_clock: MockClock) -> None:
    """Of players who were read already, and of those who were not; and the old board shows them meanwhile."""
    async with running_stage(*NAMES) as stage:
        await stage.score(*"ah")
        epoch = stage.published.get(ALL_TIME)
        stage.store.reads.delay_s = 1.0
        stage.board.tell(Rebuild())
        for _ in range(4):
            moved = await stage.score("h", "a", "a")
            assert moved[-1].new == 1
            await trio.sleep(0.4)
        view = stage.published.get(ALL_TIME)
        assert view is not None
        assert epoch is not None
        assert epoch.epoch == view.epoch
        await trio.sleep(5)
        assert [("a", 9), ("h", 5)] == (await stage.rows(ALL_TIME))[:2]
        assert stage.truth() == [(UserId(name), score) for name, score in await stage.rows(ALL_TIME)]
        after = stage.published.get(ALL_TIME)
        assert after is not None
        assert epoch.epoch != after.epoch


async def test_a_store_that_is_away_only_makes_a_rebuilding_late(autojump_clock: MockClock) -> None:
    """Where it stopped it goes on; one that is asked for again begins anew."""
    async with running_stage(*NAMES) as stage:
        await stage.score(*"aab")
        stage.store.players.rows[UserId("a")].score = 1
        stage.store.reads.fail_before(None, StoreUnavailable("away"), StoreUnavailable("away"))
        stage.board.tell(Rebuild())
        await trio.sleep(0.5)
        assert [("a", 2), ("b", 1)] == (await stage.rows(ALL_TIME))[:2]
        await trio.sleep(5)
        assert {("a", 1), ("b", 1)} == set((await stage.rows(ALL_TIME))[:2])
        stage.store.players.rows[UserId("a")].score = 3
        stage.board.tell(Rebuild())
        stage.board.tell(Rebuild())
        await trio.sleep(3)
        assert [("a", 3), ("b", 1)] == (await stage.rows(ALL_TIME))[:2]
