"""Those who watch the surroundings of players."""

from __future__ import annotations

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.leaderboard.events import Channel, OwnFull, RankChange, Row, ScoreChange
from actors.leaderboard.messages import JoinAround, LeaveAround, Windows
from actors.ports import ALL_TIME, UserId
from tests.leaderboard.naive import fact
from tests.leaderboard.stage import Stage, Watcher, clients_of, running_stage

NAMES = [f"p{number:02}" for number in range(30)]
AROUND2 = Channel(ALL_TIME, 2, around=True)
ME = Channel(ALL_TIME, 0, around=True)


async def join(stage: Stage, name: str, channel: Channel = AROUND2, watcher: Watcher | None = None) -> Watcher:
    """Somebody watches that player."""
    found = watcher or Watcher()
    await stage.audiences.ask(channel.key, JoinAround(found, channel, UserId(name)), within=60)
    await wait_all_tasks_blocked()
    return found


async def truth(stage: Stage, name: str, channel: Channel = AROUND2) -> tuple[Row, ...]:
    """What the board itself says of that player's surroundings."""
    answer = await stage.board.ask(Windows(((UserId(name), channel.size),)), within=60)
    return answer.windows[0]


TICKS = st.lists(st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 12)), max_size=8), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(TICKS, st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 4)), min_size=1, max_size=6))
def test_what_a_client_shows_equals_the_board_after_every_tick(
    ticks: list[list[tuple[str, int]]], watched: list[tuple[str, int]]
) -> None:
    """Whoever scores, falls, or comes; also for a player who is not on the board yet."""

    async def run() -> None:
        async with running_stage(*NAMES[:20]) as stage:
            channels = [(name, Channel(ALL_TIME, radius, around=True)) for name, radius in watched]
            watchers = [await join(stage, name, channel) for name, channel in channels]
            version = 1
            for facts in ticks:
                for name, score in facts:
                    version += 1
                    await stage.apply(fact(name, score, version, reached_us=version % 5))
                await trio.sleep(1.5)
                for watcher, (name, channel) in zip(watchers, channels, strict=True):
                    assert clients_of(watcher).rows == await truth(stage, name, channel)

    trio.run(run, clock=MockClock(autojump_threshold=0))


async def test_only_windows_that_were_touched_are_looked_at(autojump_clock: MockClock) -> None:
    """And only those whose rows have changed make a step."""
    async with running_stage(*NAMES) as stage:
        watchers = {name: await join(stage, name) for name in ("p00", "p10", "p29")}
        await trio.sleep(3)
        stage.looks.clear()
        await stage.score("p11")  # from rank 12 to the first
        await trio.sleep(1.5)
        assert sum(stage.looks) == 2
        assert [len(each.seen) for each in watchers.values()] == [2, 2, 1]
        stage.looks.clear()
        await trio.sleep(10)
        assert sum(stage.looks) == 0


async def test_a_watcher_is_shown_one_snapshot_and_then_differences(autojump_clock: MockClock) -> None:
    """In an epoch of its own; at most one step in a tick."""
    async with running_stage(*NAMES) as stage:
        one, two = await join(stage, "p05"), await join(stage, "p05")
        for _ in range(3):
            await stage.score("p06", "p07")
        await trio.sleep(1.5)
        assert [(step.diff is None, step.version) for step in one.seen] == [(True, 1), (False, 2)]
        assert one.seen[1].follows(one.seen[0].epoch, one.seen[0].version)
        assert one.seen[0].epoch != two.seen[0].epoch


async def test_who_has_left_is_shown_nothing_more(autojump_clock: MockClock) -> None:
    """By its own word, or because it is gone."""
    async with running_stage(*NAMES) as stage:
        left, gone = await join(stage, "p05"), await join(stage, "p05")
        stage.audiences.tell(AROUND2.key, LeaveAround(left, AROUND2))
        gone.present = False
        await stage.score("p05")
        await trio.sleep(2)
        assert (len(left.seen), len(gone.seen)) == (1, 1)
        assert stage.watchers == {ALL_TIME: {}}


@pytest.mark.parametrize("who", ["board", "neighbours"])
async def test_after_a_crash_all_are_shown_where_they_stand(who: str, autojump_clock: MockClock) -> None:
    """In another epoch, and the steps go on from there."""
    async with running_stage(*NAMES) as stage:
        watcher = await join(stage, "p05")
        if who == "board":
            stage.crash()
        else:
            stage.audiences.tell(AROUND2.key, "nonsense")
        await trio.sleep(3)
        assert watcher.seen[-1].epoch != watcher.seen[0].epoch
        await stage.score("p05")
        await trio.sleep(2)
        assert clients_of(watcher).rows == await truth(stage, "p05")


async def test_a_player_hears_of_its_own_score_and_rank(autojump_clock: MockClock) -> None:
    """Also of a rank that others changed."""
    async with running_stage("a", "b", "c") as stage:
        watcher = await join(stage, "b", ME)
        assert isinstance(watcher.seen[0].full, OwnFull)
        await stage.score("b")
        await trio.sleep(1.5)
        assert [type(each) for each in watcher.seen[-1].news] == [ScoreChange, RankChange]
        await stage.score("c", "c")
        await trio.sleep(1.5)
        (news,) = watcher.seen[-1].news
        assert isinstance(news, RankChange)
        assert (news.old_rank, news.new_rank) == (1, 2)
