"""Channels that nobody watched for a while."""

from __future__ import annotations

from trio.testing import MockClock, wait_all_tasks_blocked

from actors.leaderboard.events import Channel
from actors.leaderboard.showing import CLOSED
from actors.ports import ALL_TIME
from tests.leaderboard.stage import Watcher, running_stage


async def test_who_was_alone_and_comes_back_is_shown_the_difference(autojump_clock: MockClock) -> None:
    """From what it was shown last, without news of what it missed; and the very same if nothing has changed."""
    async with running_stage("a", "b", "c") as stage:
        one, two, three = Watcher(), Watcher(), Watcher()
        await stage.watch(one)
        stage.leave(one)
        await wait_all_tasks_blocked()
        await stage.watch(two)
        assert two.steps == one.steps
        stage.leave(two)
        await wait_all_tasks_blocked()
        await stage.score("b", "c")
        await stage.watch(three)
        (step,) = three.seen
        assert step.follows(*two.steps[-1])
        assert step.news == ()
        assert [(row.user_id, row.score) for row in step.full.rows] == stage.truth()


async def test_only_some_channels_are_kept_for_who_may_come_back(autojump_clock: MockClock) -> None:
    """Of the others no version comes twice."""
    async with running_stage("a", "b") as stage:
        first, again = Watcher(), Watcher()
        for size in range(1, CLOSED + 2):
            watcher = first if size == 1 else Watcher()
            await stage.watch(watcher, Channel(ALL_TIME, size))
            stage.leave(watcher, Channel(ALL_TIME, size))
            await wait_all_tasks_blocked()
        await stage.watch(again, Channel(ALL_TIME, 1))
        ((epoch, version),) = first.steps
        assert again.steps == [(epoch, version + 1)]
