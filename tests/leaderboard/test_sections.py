"""Boards of a period, of a country, or of both."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import groupby
from zoneinfo import ZoneInfo

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.leaderboard import mirror
from actors.leaderboard.actor import SLICE
from actors.leaderboard.calendar import span_of
from actors.leaderboard.events import Channel
from actors.leaderboard.messages import Apply, CatchUp, Loaded, Page, RankMove
from actors.ports import ALL_TIME, BoardId, BoardPart, Period, Span, StoreUnavailable, UserId
from tests.fakes import Faults
from tests.fakes.system import TrioClock
from tests.leaderboard.naive import fact
from tests.leaderboard.stage import Stage, Watcher, clients_of, running_stage

DAILY, WEEKLY, DAILY_US, ALL_US = BoardId("daily"), BoardId("weekly"), BoardId("daily:US"), BoardId("all_time:US")
TODAY = Channel(DAILY, 3)
#: From the beginning of a test to midnight, UTC.
MIDNIGHT_S = 32_000
AWAY = StoreUnavailable("away")


class _Glances(trio.abc.Instrument):
    """Looks after each step of each task; what order they run in is Trio's secret."""

    def __init__(self, look: Callable[[], object]) -> None:
        self._look = look

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        self._look()


def day_of(stage: Stage) -> Span | None:
    """Which day is published."""
    view = stage.published.get(DAILY)
    assert view is not None
    return view.span


# --- what they show ---


async def test_a_day_begins_with_what_was_gained_in_it_and_goes_on_with_every_gain(autojump_clock: MockClock) -> None:
    """Not with what was gained before it, though it is told now; a player comes with the first gain."""
    async with running_stage(*"abc") as stage:
        await stage.commit("a", "a", "b")
        assert await stage.rows(DAILY) == [("a", 2), ("b", 1)]
        await stage.gain("b", "b")
        await trio.sleep(MIDNIGHT_S)
        await stage.gain("c", ago_s=60)
        await stage.gain("c", "a")
        assert await stage.rows(DAILY) == stage.truth_of(DAILY) == [("c", 1), ("a", 1)]
        assert await stage.rows(WEEKLY) == stage.truth_of(WEEKLY) == [("c", 1), ("a", 1)]


async def test_a_player_who_changes_country_takes_along_all_points(autojump_clock: MockClock) -> None:
    """From every board of the one to every board of the other; nobody else hears of it."""
    async with running_stage(*"ab") as stage:
        await stage.move("a", "DE")
        await stage.commit("a", "a", "b")
        german = [BoardId("daily:DE"), BoardId("all_time:DE")]
        assert [await stage.rows(board) for board in (*german, DAILY_US, ALL_US)] == [[("a", 2)], [("a", 2)], [], []]
        await stage.move("a", "US")
        await trio.sleep(1)
        assert [await stage.rows(board) for board in (*german, DAILY_US, ALL_US)] == [[], [], [("a", 2)], [("a", 2)]]
        await stage.gain("a", "b")
        assert [await stage.rows(board) for board in (*german, DAILY_US, ALL_US)] == [[], [], [("a", 3)], [("a", 3)]]


async def test_a_change_of_profile_shows_on_every_board(autojump_clock: MockClock) -> None:
    """Also where no score has changed."""
    async with running_stage("a") as stage:
        await stage.commit("a")
        await stage.rows(DAILY)
        await stage.move("a", "US")
        answer = await stage.boards.ask(DAILY, Page(1, 0), within=5)
        assert [(row.score, row.country) for row in answer.rows] == [(1, "US")]


# --- the end of a period ---


async def test_at_the_end_of_a_day_all_who_watch_are_shown_an_empty_board(autojump_clock: MockClock) -> None:
    """In a new epoch, at that very moment, with when it ends next; and whoever looks sees the same."""
    async with running_stage("a") as stage:
        watcher = Watcher()
        await stage.watch(watcher, TODAY)
        await stage.gain("a")
        await trio.sleep(MIDNIGHT_S + 0.01)
        first, second, third = watcher.seen
        assert (first.epoch, second.epoch == first.epoch, third.epoch == first.epoch) == (first.epoch, True, False)
        assert [watcher.times[-1]] == pytest.approx([MIDNIGHT_S], abs=0.01)
        assert (third.full.rows, third.diff, third.version) == ((), None, 1)
        midnight_us = TrioClock().now_us() // 86_400_000_000 * 86_400_000_000
        assert (second.full.resets_us, third.full.resets_us) == (midnight_us, midnight_us + 86_400_000_000)
        assert day_of(stage) == Span(midnight_us, midnight_us + 86_400_000_000, "2025-06-16")
        await stage.gain("a")
        await trio.sleep(2)
        assert [(row.user_id, row.score) for row in clients_of(watcher).rows] == [("a", 1)]


async def test_a_day_ends_where_its_zone_says_so(autojump_clock: MockClock) -> None:
    """The clock on the wall there."""
    zone = ZoneInfo("Asia/Kathmandu")
    async with running_stage("a", zones={Period.DAILY: zone}) as stage:
        await stage.rows(DAILY)
        assert day_of(stage) == span_of(Period.DAILY, zone, TrioClock().now_us())


async def test_the_first_fact_behind_the_end_ends_the_period_too(autojump_clock: MockClock) -> None:
    """Another machine's clock may be ahead; what is told with it counts for the day that it belongs to."""
    async with running_stage("a", "b") as stage:
        await trio.sleep(MIDNIGHT_S - 10)
        await stage.rows(DAILY)
        day = day_of(stage)
        assert day is not None
        (late,), (new,) = await stage.commit("a"), await stage.commit("b")
        stage.active.tell([new._replace(occurred_us=day.end_us), late])
        assert await stage.rows(DAILY) == [("b", 1)]
        assert day_of(stage) == span_of(Period.DAILY, ZoneInfo("UTC"), day.end_us)


async def test_a_period_that_ends_while_it_is_loaded_is_over_when_that_is_done(autojump_clock: MockClock) -> None:
    """And whatever was gained in the new one meanwhile is on it."""
    async with running_stage("a", "b") as stage:
        await stage.commit("a")
        await trio.sleep(MIDNIGHT_S - 5)
        stage.store.reads.delay_s = 2
        stage.boards.tell(DAILY, CatchUp())
        await trio.sleep(6)
        stage.active.tell(await stage.commit("b"))
        await trio.sleep(20)
        assert await stage.rows(DAILY) == [("b", 1)]


# --- who is in memory ---


async def test_a_score_makes_no_board_and_a_look_does(autojump_clock: MockClock) -> None:
    """A board that nobody looks at costs nothing."""
    async with running_stage("a") as stage:
        await stage.gain("a")
        before = stage.boards.keys
        await stage.watch(channel=TODAY)
        assert (before, stage.boards.keys) == ((ALL_TIME,), (ALL_TIME, DAILY))


async def test_a_board_rests_when_nobody_has_looked_for_a_while(autojump_clock: MockClock) -> None:
    """Scores do not keep it awake; but for the board of all time, which is always needed."""
    async with running_stage("a", boards_idle_after_s=300) as stage:
        await stage.rows(DAILY)
        for _ in range(50):
            await stage.gain("a")
            await trio.sleep(9)
        assert stage.boards.keys == (ALL_TIME,)
        assert stage.published.current(DAILY) is None
        assert await stage.rows(DAILY) == [("a", 50)]


async def test_a_board_that_is_watched_or_looked_at_stays(autojump_clock: MockClock) -> None:
    """A look at the published view is one as well; half an hour after the last of them it rests."""
    async with running_stage("a", boards_idle_after_s=300) as stage:
        watcher = Watcher()
        await stage.watch(watcher, TODAY)
        await stage.rows(WEEKLY)
        for _ in range(20):
            await trio.sleep(100)
            assert stage.published.get(WEEKLY) is not None
        assert set(stage.boards.keys) == {ALL_TIME, DAILY, WEEKLY}
        stage.leave(watcher, TODAY)
        await trio.sleep(1800)
        assert set(stage.boards.keys) == {ALL_TIME}


@pytest.mark.parametrize("seed", range(30))
async def test_every_gain_is_on_a_board_once_whenever_it_was_activated(autojump_clock: MockClock, seed: int) -> None:
    """Before, while and after it is read from a slow store; boards rest and come back meanwhile."""
    rng = random.Random(seed)
    names = "abcdef"
    boards = [DAILY, WEEKLY, DAILY_US, ALL_US]
    async with running_stage(*names, boards_idle_after_s=3) as stage:
        stage.store.reads.delay_s, stage.store.page = 0.3, 2

        async def play() -> None:
            for _ in range(60):
                await trio.sleep(rng.expovariate(5))
                if rng.random() < 0.2:
                    await stage.move(rng.choice(names), rng.choice(["US", "DE", None]))
                else:
                    facts = await stage.commit(*rng.choices(names, k=rng.randint(1, 4)))
                    await trio.sleep(rng.choice([0, 0, 0.01, 0.2]))  # as the ledger may take its time
                    stage.active.tell(facts)

        async def look() -> None:
            for _ in range(30):
                await trio.sleep(rng.expovariate(2))
                await stage.rows(rng.choice(boards))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(play)
            nursery.start_soon(look)
        await trio.sleep(2)
        for board in boards:
            assert await stage.rows(board) == stage.truth_of(board)


# --- what goes wrong ---


async def test_a_crash_begins_a_new_epoch_from_the_store(autojump_clock: MockClock) -> None:
    """With what was told meanwhile, once."""
    async with running_stage("a") as stage:
        watcher = Watcher()
        await stage.watch(watcher, TODAY)
        await stage.gain("a")
        stage.boards.tell(DAILY, "nonsense")
        await wait_all_tasks_blocked()
        await stage.gain("a")
        await trio.sleep(2)
        assert await stage.rows(DAILY) == [("a", 2)]
        assert len({update.epoch for update in watcher.seen}) == 2
        assert [row.score for row in clients_of(watcher).rows] == [2]


async def test_a_board_that_had_no_room_reads_everything_again(autojump_clock: MockClock) -> None:
    """As soon as it can hear that; until then it lacks what it could not be told."""
    async with running_stage("a") as stage:
        await stage.rows(DAILY)
        (mailbox,) = [cell._mailbox for key, cell in stage.boards._cells.items() if key == DAILY]
        mailbox.capacity = 1
        one, two = await stage.commit("a"), await stage.commit("a")
        stage.active.tell(one)
        stage.active.tell(two)
        assert stage.active.due == pytest.approx(trio.current_time() + 0.5)
        mailbox.capacity = 1000
        assert await stage.rows(DAILY) == [("a", 1)]
        await trio.sleep(0.5)
        stage.active.remind()
        await trio.sleep(0.1)
        assert (await stage.rows(DAILY), stage.active.due) == ([("a", 2)], float("inf"))


async def test_reading_again_outlasts_a_store_that_is_away(autojump_clock: MockClock) -> None:
    """The board goes on with what it has, and others are served meanwhile."""
    async with running_stage("a") as stage:
        await stage.rows(DAILY)
        await stage.commit("a")
        stage.store.reads.fail_before(AWAY, AWAY)
        stage.active.catch_up()
        await wait_all_tasks_blocked()
        assert await stage.rows(DAILY) == []
        await trio.sleep(3)
        assert await stage.rows(DAILY) == [("a", 1)]


async def test_who_is_in_doubt_is_asked_for_until_the_store_answers(autojump_clock: MockClock) -> None:
    """A version was left out; until it is known what that was, the row stays as it was once true."""
    async with running_stage("a", "b") as stage:
        await stage.gain("a")
        await stage.rows(DAILY)
        await stage.commit("a")
        stage.store.reads = Faults()
        stage.store.reads.fail_before(AWAY)
        await stage.gain("a", "b")
        assert await stage.rows(DAILY) == [("a", 1), ("b", 1)]
        await trio.sleep(3)
        assert await stage.rows(DAILY) == stage.truth_of(DAILY) == [("a", 3), ("b", 1)]


async def test_the_board_of_all_time_tells_moves_and_the_others_none(autojump_clock: MockClock) -> None:
    """They are told, and nobody asks them."""
    async with running_stage("a") as stage:
        facts = await stage.commit("a")
        told = [await stage.boards.ask(board, Apply(facts), within=5) for board in (ALL_TIME, DAILY)]
        assert told == [(RankMove(1, 1),), ()]


async def test_readers_see_nothing_of_a_period_that_begins_in_the_middle_of_many_facts(
    autojump_clock: MockClock,
) -> None:
    """They ask, and wait for the end: whoever looks, after any step of any task."""
    async with running_stage() as stage:
        await trio.sleep(MIDNIGHT_S - 10)
        await stage.rows(DAILY)
        day = day_of(stage)
        assert day is not None
        facts = [fact(f"{n}", 1)._replace(points=1, occurred_us=day.end_us) for n in range(2 * SLICE)]
        seen: list[int | None] = []
        glances = _Glances(lambda: seen.append(stage.published.answer(DAILY, Loaded())))
        stage.active.tell(facts)
        trio.lowlevel.add_instrument(glances)
        await wait_all_tasks_blocked()
        trio.lowlevel.remove_instrument(glances)
        assert [key for key, _ in groupby(seen)] == [0, None, 2 * SLICE]  # 0 before the board has its turn


# --- its copy ---


async def test_a_copy_of_the_board_is_made_piece_by_piece_and_kept(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First those who were there, then who has changed, come or gone; and all again, as long as the board is held."""
    monkeypatch.setattr(mirror, "PIECE", 2)
    async with running_stage(*"abc", boards_idle_after_s=300) as stage:
        for name in "abc":
            await stage.move(name, "US")
        await stage.commit(*"abc")
        await stage.rows(DAILY_US)
        await trio.sleep(1)
        (day,) = {part.until_us for part in stage.parts}
        assert stage.parts == [
            BoardPart(DAILY_US, {UserId("a"): 1, UserId("b"): 1}, piece=0, until_us=day),
            BoardPart(DAILY_US, {UserId("c"): 1}, piece=1, whole=True, until_us=day),
        ]
        stage.parts.clear()
        await stage.gain("a")
        await stage.move("b", None)
        await trio.sleep(1)
        assert stage.parts == [
            BoardPart(DAILY_US, {UserId("a"): 2}, until_us=day),
            BoardPart(DAILY_US, {}, (UserId("b"),), until_us=day),
        ]
        stage.parts.clear()
        await trio.sleep(mirror.AGAIN_S)
        again = [
            BoardPart(DAILY_US, {UserId("a"): 2}, piece=0, until_us=day),
            BoardPart(DAILY_US, {UserId("c"): 1}, piece=1, whole=True, until_us=day),
        ]
        assert stage.parts == again
        stage.parts.clear()
        await trio.sleep(1200)
        assert stage.parts == again  # and no more since it was let go


async def test_the_copy_of_a_period_begins_anew_with_it(autojump_clock: MockClock) -> None:
    """Whatever was in it is forgotten."""
    async with running_stage("a") as stage:
        await stage.watch(channel=TODAY)
        await stage.gain("a")
        await trio.sleep(MIDNIGHT_S - 1)
        stage.parts.clear()
        await trio.sleep(5)
        await stage.gain("a")
        await trio.sleep(5)
        day = day_of(stage)
        assert day is not None
        end = day.end_us
        assert stage.parts == [
            BoardPart(DAILY, {}, piece=0, whole=True, until_us=end),
            BoardPart(DAILY, {UserId("a"): 1}, until_us=end),
        ]
