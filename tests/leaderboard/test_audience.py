from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.leaderboard.audience import AudienceActor
from actors.leaderboard.crowd import SLICE, Crowd
from actors.leaderboard.events import BoardFull, Channel
from actors.leaderboard.messages import CatchUp, Join, Leave, Show, Unwatch, Watch
from actors.leaderboard.update import Update
from actors.ports import ALL_TIME
from actors.runtime import Directory, MailboxFull, Ref, Request, running_actor
from tests.leaderboard.stage import TOP3, Watcher, clients_of, running_stage


async def test_who_joins_is_offered_what_is_shown_and_then_every_step(autojump_clock: MockClock) -> None:
    """The same objects as everybody else."""
    async with running_stage(*"abc") as stage:
        early, late = Watcher(), Watcher()
        await stage.watch(early)
        await stage.score("b")
        await trio.sleep(2)
        await stage.watch(late)
        await stage.score("c")
        await trio.sleep(2)
        assert [version for _, version in early.steps] == [1, 2, 3]
        assert [id(each) for each in late.seen] == [id(each) for each in early.seen[1:]]


async def test_who_leaves_is_offered_nothing_more(autojump_clock: MockClock) -> None:
    """The others go on."""
    async with running_stage(*"abc") as stage:
        stays, goes = Watcher(), Watcher()
        await stage.watch(stays)
        await stage.watch(goes)
        stage.leave(goes)
        await stage.score("b")
        await trio.sleep(2)
        assert (len(stays.seen), len(goes.seen)) == (2, 1)


async def test_who_has_gone_without_a_word_is_forgotten(autojump_clock: MockClock) -> None:
    """With the next step."""
    async with running_stage(*"abc") as stage:
        stays, gone = Watcher(), Watcher()
        await stage.watch(stays)
        await stage.watch(gone)
        gone.present = False
        await stage.score("b")
        await trio.sleep(2)
        assert stays in stage.crowd()
        assert gone not in stage.crowd()


async def test_a_joiner_in_the_middle_of_a_step_misses_nothing_and_sees_nothing_twice(
    autojump_clock: MockClock,
) -> None:
    """It waits until the step has been offered to all, and is then offered that very step."""
    async with running_stage(*"abc") as stage:
        crowd = [Watcher() for _ in range(3 * SLICE)]
        for watcher in crowd:
            stage.crowd().join(watcher)
        first, joiner = Joiner(), Watcher()
        await stage.watch(first)
        first.bring = lambda: stage.audiences.tell(TOP3.key, Join(joiner))
        await stage.score("b")
        await trio.sleep(2)
        await stage.score("c")
        await trio.sleep(2)
        assert [version for _, version in joiner.steps] == [2, 3]
        assert all([version for _, version in each.steps] == [1, 2, 3] for each in crowd)


class Joiner(Watcher):
    """Brings another one when it is offered the second step."""

    def __init__(self) -> None:
        super().__init__()
        self.bring: Callable[[], None] = lambda: None

    def offer(self, update: Update) -> bool:
        if update.full.version == 2:
            self.bring()
        return super().offer(update)


async def test_of_steps_that_wait_only_the_newest_is_shown(autojump_clock: MockClock) -> None:
    """A board that moves faster than its crowd can be told piles nothing up; what was left out is counted."""
    async with running_stage(*"abc") as stage:
        slow = Slow(stage.audiences)
        await stage.watch(slow)
        await stage.watch(watcher := Watcher())
        await stage.score("b")
        await trio.sleep(2)
        assert [version for _, version in watcher.steps] == [1, 2, 5]
        assert stage.skipped == 2 * 2


class Slow(Watcher):
    """While it is offered the second step, the board makes three more."""

    def __init__(self, audiences: Directory[str]) -> None:
        super().__init__()
        self._audiences = audiences

    def offer(self, update: Update) -> bool:
        if update.version == 2:
            for version in (3, 4, 5):
                self._audiences.tell(TOP3.key, Show(Update(dataclasses.replace(update.full, version=version))))
        return super().offer(update)


async def test_joining_does_not_wait_for_a_board_that_is_away(autojump_clock: MockClock) -> None:
    """The snapshot comes when the board is back; the audience does not fail with the board."""
    async with running_stage("a", load=False) as stage:
        gate = stage.store.faults.hold()
        watcher = Watcher()
        await stage.watch(watcher)
        await trio.sleep(3)
        stage.crash()
        assert watcher.seen == []
        gate.set()
        await trio.sleep(3)
        assert watcher.steps == [("epoch-1", 1), ("epoch-2", 1)]


async def test_a_board_that_did_not_hear_of_a_watcher_is_told_again(autojump_clock: MockClock) -> None:
    """A message in the hand of a crashing board is lost; the reminder is not."""
    async with running_stage("a") as stage:
        stage.deaf = True
        watcher = Watcher()
        await stage.watch(watcher)
        await trio.sleep(3)
        assert watcher.seen == []
        stage.deaf = False
        await trio.sleep(1.5)
        assert watcher.steps[0] == ("epoch-1", 1)


async def test_a_crash_of_the_board_shows_every_audience_the_new_epoch(autojump_clock: MockClock) -> None:
    """All channels, without anybody subscribing again; a client that follows shows what is true."""
    async with running_stage(*"abcd") as stage:
        watchers = {size: Watcher() for size in (1, 2, 3, 10)}
        for size, watcher in watchers.items():
            await stage.watch(watcher, Channel(ALL_TIME, size))
        await stage.score("c")
        await trio.sleep(2)
        await stage.commit("d", "d")
        stage.crash()
        await trio.sleep(2)
        await stage.score("a", "a", "a")
        await trio.sleep(2)
        for size, watcher in watchers.items():
            client = clients_of(watcher)
            assert [(row.user_id, row.score) for row in client.rows] == stage.truth()[:size]
            assert client.epoch == "epoch-2"
            assert client.asks == 0


async def test_a_crash_in_the_middle_of_a_step_loses_nobody_and_no_step(autojump_clock: MockClock) -> None:
    """Those who had not been offered the step yet are offered it by the next incarnation, though the board is quiet."""
    async with running_stage(*"abc") as stage:
        watchers = [Watcher() for _ in range(20)]
        for watcher in [*watchers[:10], Bomb(), *watchers[10:]]:
            await stage.watch(watcher)
        await stage.score("b")
        await trio.sleep(2)
        assert {tuple(watcher.steps) for watcher in watchers} == {(("epoch-1", 1), ("epoch-1", 2))}


class Bomb(Watcher):
    """Fails when it is offered the second step for the first time."""

    failed = False

    def offer(self, update: Update) -> bool:
        if update.full.version == 2 and not self.failed:
            self.failed = True
            raise ZeroDivisionError
        return super().offer(update)


async def test_many_who_join_while_the_board_is_away_ask_it_once(autojump_clock: MockClock) -> None:
    """And are shown the channel by one step."""
    async with running_stage("a", load=False) as stage:
        gate = stage.store.faults.hold()
        watchers = [Watcher() for _ in range(50)]
        for watcher in watchers:
            await stage.watch(watcher)
        gate.set()
        await wait_all_tasks_blocked()
        assert len(stage.shown) == 1
        assert all(watcher.steps == [("epoch-1", 1)] for watcher in watchers)


async def test_a_step_without_an_audience_ends_the_watching(autojump_clock: MockClock) -> None:
    """The board computes steps only for those who are there."""
    async with running_stage(*"abc") as stage:
        watcher = Watcher()
        await stage.watch(watcher)
        assert stage.watched == {TOP3}
        watcher.present = False
        await stage.score("b")
        await trio.sleep(2)
        assert stage.watched == set()
        await stage.watch(newcomer := Watcher())
        await stage.score("c", "c")
        await trio.sleep(2)
        assert clients_of(newcomer).rows[0].user_id == "c"


async def test_a_late_step_to_an_empty_audience_is_not_kept(autojump_clock: MockClock) -> None:
    """Otherwise the next one to come would be shown an old board, and hear of no step."""
    async with running_stage(*"abc") as stage:
        watcher, newcomer = Watcher(), Watcher()
        await stage.watch(watcher)
        stage.leave(watcher)
        stage.audiences.tell(TOP3.key, Show(watcher.seen[0]))
        await wait_all_tasks_blocked()
        await stage.score("b")
        await stage.watch(newcomer)
        assert clients_of(newcomer).rows[0].user_id == "b"
        await stage.score("c", "c")
        await trio.sleep(2)
        assert clients_of(newcomer).rows[0].user_id == "c"


async def test_an_idle_audience_is_passivated_and_one_that_is_watched_is_not(autojump_clock: MockClock) -> None:
    """Nobody is lost by quiet."""
    async with running_stage(*"abc", idle_after_s=10) as stage:
        watcher = Watcher()
        await stage.watch(watcher)
        await stage.watch(goes := Watcher(), Channel(ALL_TIME, 5))
        stage.leave(goes, Channel(ALL_TIME, 5))
        await trio.sleep(100)
        assert stage.audiences.live == 1
        await stage.score("b")
        await trio.sleep(2)
        assert len(watcher.seen) == 2


async def test_a_catch_up_is_shown_like_any_other_step(autojump_clock: MockClock) -> None:
    """In the same epoch, as a difference."""
    async with running_stage(*"abc") as stage:
        watcher = Watcher()
        await stage.watch(watcher)
        await stage.commit("c")
        stage.board.tell(CatchUp())
        await trio.sleep(2)
        client = clients_of(watcher)
        assert (client.fulls, client.diffs, client.rows[0].user_id) == (1, 1, "c")


async def test_a_board_that_could_not_hear_is_asked_again_although_an_older_step_has_come(
    autojump_clock: MockClock,
) -> None:
    """That step was on its way since before the last watcher left; the board has heard of that, and shows no more."""
    full, told = False, list[object]()

    def deliver(request: Request) -> None:
        if full:
            raise MailboxFull("full")
        told.append(request.message)

    watcher, crowd = Watcher(), Crowd(TOP3)
    board = Ref("board", deliver)
    async with running_actor("audience", lambda: AudienceActor(board, crowd), rng=random.Random(0)) as audience:
        await audience.ask(Join(watcher), within=1)
        audience.tell(Leave(watcher))
        await wait_all_tasks_blocked()
        full = True
        await audience.ask(Join(watcher), within=1)
        audience.tell(Show(Update(BoardFull(TOP3, "epoch", 1, (), 0, 0, 0))))
        await trio.sleep(0.5)
        full = False
        await trio.sleep(2)
        assert [Watch(TOP3), Unwatch(TOP3), Watch(TOP3)] == told
