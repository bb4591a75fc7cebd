from __future__ import annotations

from itertools import pairwise

import pytest
import trio
from hypothesis import given
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.leaderboard import loading, rereading
from actors.leaderboard.actor import SLICE
from actors.leaderboard.events import RankChange, ScoreChange
from actors.leaderboard.loading import Loading
from actors.leaderboard.messages import (
    Apply,
    Around,
    CatchUp,
    Loaded,
    NotRanked,
    Page,
    PageAnswer,
    RankMove,
    RankOf,
)
from actors.leaderboard.published import PUBLISHED_ROWS
from actors.ports import ALL_TIME, ScoreFact, StoreUnavailable, UserId
from actors.runtime import ActorCrashed
from tests.leaderboard.naive import NaiveBoard, fact, histories
from tests.leaderboard.stage import TOP3, Stage, Watcher, running_stage

AWAY = StoreUnavailable("away")


async def page(stage: Stage, limit: int = 100, offset: int = 0) -> list[tuple[UserId, int]]:
    """Players and scores as the board tells them."""
    answer = await stage.board.ask(Page(limit, offset), within=60)
    return [(row.user_id, row.score) for row in answer.rows]


@pytest.mark.parametrize("size", [1, 2, 3, 100])
async def test_all_players_are_loaded_whatever_the_size_of_a_page(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """Also when the last page is full, and when a page is more than is taken in at once."""
    monkeypatch.setattr(loading, "SLICE", 2)
    async with running_stage(*"abcdef", load=False) as stage:
        stage.store.page = size
        assert await stage.board.ask(Loaded(), within=5) == 6
        assert await page(stage) == stage.truth()


async def test_a_store_that_is_away_delays_the_start_and_crashes_nothing(autojump_clock: MockClock) -> None:
    """The board asks again until it is there; who asks the board waits."""
    async with running_stage("a", load=False) as stage:
        stage.store.faults.fail_before(AWAY, AWAY)
        assert await stage.board.ask(Loaded(), within=5) == 1
        assert trio.current_time() == pytest.approx(2)


async def test_a_store_that_goes_away_half_way_is_read_from_the_beginning(autojump_clock: MockClock) -> None:
    """Pages of two moments do not make a board."""
    async with running_stage(*"abcdef", load=False) as stage:
        stage.store.page = 2
        stage.store.faults.fail_before(None, None, AWAY)
        stage.boards.tell(ALL_TIME, CatchUp())
        await wait_all_tasks_blocked()
        await stage.commit("c", "f")
        assert await stage.board.ask(Loaded(), within=5) == 6
        assert await page(stage) == stage.truth()


async def test_it_is_told_how_far_the_loading_is_and_nothing_is_published_before_its_end(
    autojump_clock: MockClock,
) -> None:
    """Page by page, so that whoever waits knows for how long."""
    async with running_stage(*"abcd", load=False) as stage:
        stage.store.page = 1
        stage.store.faults.delay_s = 1
        stage.boards.tell(ALL_TIME, CatchUp())
        for seconds in range(6):
            await trio.sleep(0.5 if seconds == 0 else 1)
            told = stage.published.loading(ALL_TIME)
            players = max(seconds - 1, 0)
            assert told == Loading(ALL_TIME, players, players / 4)
            assert told.about == (4 if players else 0)
            assert stage.published.get(ALL_TIME) is None
        await trio.sleep(1)
        assert stage.published.loading(ALL_TIME) is None
        assert stage.published.get(ALL_TIME) is not None
        assert [0, 0.25, 0.5, 0.75, 1] == [each.share for each in stage.loadings]


async def test_the_ranks_before_and_after_are_told(autojump_clock: MockClock) -> None:
    """For each fact in the order given."""
    async with running_stage(*"abc") as stage:
        assert await stage.score("c", "b", "b") == (RankMove(3, 1), RankMove(3, 2), RankMove(2, 1))
        assert await stage.apply(fact("new", 0, reached_us=2**60)) == (RankMove(None, 4),)


async def test_a_fact_may_come_twice_or_late(autojump_clock: MockClock) -> None:
    """Known and older versions change nothing and are told the present rank."""
    async with running_stage(*"ab") as stage:
        old, new = await stage.commit("b", "b")
        assert await stage.apply(new) == (RankMove(2, 1),)
        assert await stage.apply(old, new) == (RankMove(1, 1), RankMove(1, 1))
        assert await page(stage) == stage.truth() == [("b", 2), ("a", 0)]


@given(histories())
def test_any_order_of_delivery_leads_to_the_same_board(history: list[ScoreFact]) -> None:
    """The log, the local path and a catch-up may deliver the same facts side by side."""
    board, again = NaiveBoard(), NaiveBoard()
    for each in history:
        board.apply(each)
    unique = {(each.user_id, each.version): each for each in history}
    for each in reversed(unique.values()):
        again.apply(each)
    assert [row.user_id for row in again.rows()] == [row.user_id for row in board.rows()]


async def test_a_standing_is_the_row_with_the_share_of_players_not_above(autojump_clock: MockClock) -> None:
    """In percent with one digit."""
    async with running_stage(*"abc") as stage:
        await stage.score("c")
        found = [await stage.board.ask(RankOf(UserId(name)), within=5) for name in "cab"]
        assert [(each.row.rank, each.percentile, each.total) for each in found] == [
            (1, 100.0, 3),
            (2, 66.7, 3),
            (3, 33.3, 3),
        ]


async def test_a_stranger_has_no_standing(autojump_clock: MockClock) -> None:
    """That is an answer, and the board lives on."""
    async with running_stage("a") as stage:
        with pytest.raises(NotRanked):
            await stage.board.ask(RankOf(UserId("z")), within=5)
        assert stage.published.get(ALL_TIME) is not None


async def test_pages_are_slices_of_the_order(autojump_clock: MockClock) -> None:
    """Empty behind the end, where the total is still told."""
    async with running_stage(*"abcde") as stage:
        assert await page(stage, 2, 1) == stage.truth()[1:3]
        assert await stage.board.ask(Page(5, 99), within=5) == PageAnswer((), 5)


async def test_the_rows_around_a_player_are_a_slice_with_the_player_in_it(autojump_clock: MockClock) -> None:
    """As many as are asked for, but never more than is allowed; a stranger has no neighbours."""
    async with running_stage(*(f"{number:03}" for number in range(300))) as stage:
        answer = await stage.board.ask(Around(UserId("001"), 10**9, 1), within=5)
        assert [(row.user_id, row.score) for row in answer.rows] == stage.truth()[:3]
        assert (answer.row, answer.total) == (answer.rows[1], 300)
        answer = await stage.board.ask(Around(UserId("150"), 10**9, 10**9), within=5)
        assert [(row.user_id, row.score) for row in answer.rows] == stage.truth()[50:251]
        with pytest.raises(NotRanked):
            await stage.board.ask(Around(UserId("z"), 1, 1), within=5)


# --- the tick ---


async def watch(stage: Stage) -> None:
    """Have the board show three rows, and forget that first step."""
    await stage.watch()
    stage.shown.clear()


async def test_the_first_change_after_quiet_is_shown_at_once(autojump_clock: MockClock) -> None:
    """Nobody waits for a tick that has nothing to do."""
    async with running_stage(*"ab") as stage:
        await watch(stage)
        await trio.sleep(7.3)
        await stage.score("b")
        await wait_all_tasks_blocked()
        assert [(each.full.version, each.full.at_us % 10**9) for each in stage.shown] == [(2, 7_300_000)]


async def test_there_is_at_most_one_step_in_a_tick(autojump_clock: MockClock) -> None:
    """Everything that happens in between is one difference."""
    async with running_stage(*"abc", tick_s=1) as stage:
        await watch(stage)
        await trio.sleep(1)
        for _ in range(95):
            await stage.score("a", "c")
            await trio.sleep(0.1)
        await trio.sleep(5)
        times = [each.full.at_us / 1_000_000 % 1000 for each in stage.shown]
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert len(times) == 11
        assert min(gaps) == pytest.approx(1)
        assert [row.score for row in stage.shown[-1].full.rows] == [95, 95, 0]


async def test_nothing_is_shown_when_nothing_visible_has_changed(autojump_clock: MockClock) -> None:
    """A move below the window, and facts that are known."""
    async with running_stage(*"abcde") as stage:
        await watch(stage)
        facts = await stage.commit("a", "b", "c", "c", "b", "a")
        await stage.apply(*facts)
        await trio.sleep(3)
        stage.shown.clear()
        await stage.apply(*facts)
        await stage.score("e")
        await trio.sleep(3)
        assert stage.shown == []


async def test_a_player_that_comes_into_the_window_is_told_from_the_rank_at_the_last_tick(
    autojump_clock: MockClock,
) -> None:
    """Not from wherever others had pushed it meanwhile."""
    async with running_stage(*"abcdef") as stage:
        await watch(stage)
        await stage.score(*"ffeedd")
        await trio.sleep(2)
        stage.shown.clear()
        await stage.apply(*await stage.commit(*"cccc", *"aaa"))
        await trio.sleep(2)
        news = [each for shown in stage.shown for each in shown.news if isinstance(each, RankChange)]
        moves = {(each.user_id, each.old_rank, each.new_rank) for each in news}
        assert moves == {("c", 6, 1), ("a", 4, 2), ("f", 1, 3), ("e", 2, 4), ("d", 3, 5)}
        scores = [each for shown in stage.shown for each in shown.news if isinstance(each, ScoreChange)]
        told = {(each.user_id, each.old_score, each.new_score, each.old_rank, each.new_rank) for each in scores}
        assert told == {("c", 0, 4, 6, 1), ("a", 0, 3, 4, 2)}


async def test_nobody_who_watches_no_more_costs_a_step(autojump_clock: MockClock) -> None:
    """Until somebody watches again; then the version is a later one."""
    async with running_stage(*"ab") as stage:
        watcher = Watcher()
        await stage.watch(watcher)
        await stage.score("b")
        await wait_all_tasks_blocked()
        stage.leave(watcher)
        await stage.score("a")
        await trio.sleep(3)
        assert ([each.full.version for each in stage.shown], stage.watched) == ([1, 2], set())
        await stage.watch()
        assert ([each.full.version for each in stage.shown], stage.watched) == ([1, 2, 3], {TOP3})


async def test_a_step_that_its_audience_could_not_take_is_made_up_for(autojump_clock: MockClock) -> None:
    """With the next tick, also when nothing else happens; and the board lives on."""
    async with running_stage(*"ab") as stage:
        await watch(stage)
        stage.deaf = True
        await stage.score("b")
        await trio.sleep(3.5)
        assert stage.shown == []
        stage.deaf = False
        await trio.sleep(2)
        assert [(each.full.epoch, each.full.version) for each in stage.shown] == [("epoch-1", 2)]


# --- what is published ---


async def test_the_published_view_is_never_older_than_an_answer(autojump_clock: MockClock) -> None:
    """Who has heard of a score finds it there."""
    async with running_stage(*"abc") as stage:
        for name in "cbbaaa":
            await stage.score(name)
            view = stage.published.get(ALL_TIME)
            assert view is not None
            assert [(row.user_id, row.score) for row in view.rows] == stage.truth()
            assert view.total == 3


async def test_a_score_that_moves_nobody_who_is_published_leaves_the_view_as_it_is(autojump_clock: MockClock) -> None:
    """So what was made of it still holds; a player more is seen at once, because the view tells how many there are."""
    async with running_stage(*(f"p{number:03}" for number in range(PUBLISHED_ROWS + 2))) as stage:
        await stage.board.ask(Loaded(), within=5)
        before = stage.published.get(ALL_TIME)
        stranger = ScoreFact(UserId("z"), "Z", 0, 1, 2**60)
        last = ScoreFact(UserId(f"p{PUBLISHED_ROWS + 1:03}"), "Another", 0, 1, 2**60)
        await stage.board.ask(Apply((last,)), within=5)
        assert before is stage.published.get(ALL_TIME)
        await stage.board.ask(Apply((stranger,)), within=5)
        after = stage.published.get(ALL_TIME)
        assert before is not None
        assert after is not None
        assert (before.rows, before.total + 1) == (after.rows, after.total)


async def test_the_view_is_withdrawn_when_the_board_stops(autojump_clock: MockClock) -> None:
    """Then readers ask another source."""
    async with running_stage("a") as stage:
        await stage.board.ask(Loaded(), within=5)
        assert stage.published.get(ALL_TIME) is not None
    assert stage.published.get(ALL_TIME) is None


async def test_the_view_is_withdrawn_at_once_when_the_board_crashes(autojump_clock: MockClock) -> None:
    """While it starts anew nobody reads an old board as a new one; who asks waits for the new."""
    async with running_stage("a") as stage:
        await stage.board.ask(Loaded(), within=5)
        stage.crash()
        await wait_all_tasks_blocked()
        assert stage.published.get(ALL_TIME) is None
        await stage.commit("a")
        assert await page(stage) == [("a", 1)]
        view = stage.published.get(ALL_TIME)
        assert view is not None
        assert (view.epoch, view.rows[0].score) == ("epoch-2", 1)


async def test_a_crash_while_catching_up_withdraws_the_view_too(autojump_clock: MockClock) -> None:
    """Whatever the board was at."""
    async with running_stage("a") as stage:
        stage.board.tell(CatchUp())
        stage.store.faults.fail_before(ZeroDivisionError())
        await wait_all_tasks_blocked()
        assert stage.published.get(ALL_TIME) is None


# --- crashes and catching up ---


async def test_a_crash_begins_a_new_epoch_that_every_audience_is_shown(autojump_clock: MockClock) -> None:
    """With all that is on disk, without anybody asking."""
    async with running_stage(*"ab") as stage:
        await watch(stage)
        await stage.score("b")
        await trio.sleep(2)
        stage.shown.clear()
        await stage.commit("a", "a")
        with pytest.raises(ActorCrashed):
            await stage.board.ask("nonsense", within=5)  # type: ignore[arg-type]
        await trio.sleep(1)
        (update,) = stage.shown
        assert (update.full.epoch, update.full.version, update.diff) == ("epoch-2", 1, None)
        assert [(row.user_id, row.score) for row in update.full.rows] == stage.truth()


async def test_catching_up_takes_in_what_was_lost_on_its_way(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Page by page, in the same epoch; it is shown like any other step."""
    monkeypatch.setattr(rereading, "PAGE", 2)
    async with running_stage(*"abcde") as stage:
        await watch(stage)
        await stage.commit("e", "e", "d", "a")
        stage.board.tell(CatchUp())
        await trio.sleep(2)
        assert await page(stage) == stage.truth()
        assert [(each.full.epoch, [row.user_id for row in each.full.rows]) for each in stage.shown][-1] == (
            "epoch-1",
            ["e", "d", "a"],
        )


async def test_others_are_served_between_two_pages_of_a_catch_up(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A board of a million players does not fall silent for it."""
    monkeypatch.setattr(rereading, "PAGE", 1)
    async with running_stage(*"abcdefgh") as stage:
        await stage.board.ask(Loaded(), within=5)
        stage.store.faults.delay_s = 1
        stage.board.tell(CatchUp())
        await trio.sleep(0.5)
        began = trio.current_time()
        await stage.board.ask(Loaded(), within=5)
        assert trio.current_time() - began < 1


async def test_a_catch_up_outlasts_a_store_that_is_away(autojump_clock: MockClock) -> None:
    """It goes on where it stopped."""
    async with running_stage("a") as stage:
        await stage.board.ask(Loaded(), within=5)
        await stage.commit("a")
        stage.store.faults.fail_before(AWAY, AWAY)
        stage.board.tell(CatchUp())
        await trio.sleep(5)
        assert await page(stage) == [("a", 1)]


async def test_others_run_while_many_facts_are_ranked_and_see_nothing_of_it(autojump_clock: MockClock) -> None:
    """A thousand at once are worked on in slices; the published view changes once, at their end."""
    async with running_stage() as stage:
        facts = tuple(fact(f"player-{number:04}", number) for number in range(2 * SLICE + 1))
        looks: list[int] = []

        async def look() -> None:
            while len(facts) not in looks:
                view = stage.published.get(ALL_TIME)
                assert view is not None
                looks.append(view.total)
                await trio.lowlevel.checkpoint()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(look)
            await trio.lowlevel.checkpoint()
            moves = await stage.apply(*facts)
        assert len(facts) == len(moves)
        assert {0, len(facts)} == set(looks)
        assert looks.count(0) >= 3
