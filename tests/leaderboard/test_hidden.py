"""Players who are banned or quarantined: off every board, known to it, and back exactly where they belong."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import pytest
import trio
from hypothesis import example, given
from hypothesis import strategies as st
from trio.testing import MockClock

from actors.leaderboard.events import Channel, Row
from actors.leaderboard.messages import Apply, Around, AroundAnswer, CatchUp, NotRanked, RankMove, RankOf
from actors.leaderboard.ranking import Ranking
from actors.leaderboard.touched import END
from actors.ports import ALL_TIME, BoardId, ScoreFact, UserId
from actors.runtime import Question
from tests.fakes.scores import members_of
from tests.leaderboard.naive import PLAYERS, fact
from tests.leaderboard.stage import TOP3, Stage, Watcher, clients_of, running_stage
from tests.leaderboard.test_neighbours import AROUND2, ME, join

DAILY, ALL_US, DAILY_US = BoardId("daily"), BoardId("all_time:US"), BoardId("daily:US")
BOARDS = [ALL_TIME, DAILY, ALL_US, DAILY_US]
SMALL = 2  # blocks that split and join all the time


@dataclass
class NaiveBoard:
    """The newest fact of each player, sorted anew for each pair of eyes."""

    facts: dict[UserId, ScoreFact] = field(default_factory=dict)

    def apply(self, new: ScoreFact) -> tuple[int | None, int]:
        """Take it in; the ranks before and after, as the player would have them."""
        before, old = self.rank(new.user_id), self.facts.get(new.user_id)
        if old is None or new.version > old.version:
            self.facts[new.user_id] = new
        after = self.rank(new.user_id)
        assert after is not None
        return before, after

    def rows(self, eyes: str | None = None) -> tuple[Row, ...]:
        """As others see it, or that player."""
        shown = [each for each in self.facts.values() if not each.hidden or each.user_id == eyes]
        order = sorted(shown, key=lambda each: (-each.score, each.reached_us, each.user_id))
        return tuple(
            Row(rank, one.user_id, one.username, one.score, one.reached_us) for rank, one in enumerate(order, 1)
        )

    def rank(self, user_id: UserId) -> int | None:
        """Where the player stands in its own eyes."""
        return next((row.rank for row in self.rows(user_id) if row.user_id == user_id), None)


@st.composite
def histories(draw: st.DrawFn, steps: int = 30) -> list[ScoreFact]:
    """Facts of few players in any order, some twice; about a third hides its player or says so still."""
    told: list[ScoreFact] = []
    versions = dict.fromkeys(PLAYERS, 0)
    for _ in range(draw(st.integers(0, steps))):
        name = draw(st.sampled_from(PLAYERS))
        versions[name] += draw(st.integers(1, 2))
        one = fact(name, draw(st.integers(0, 6)), versions[name], draw(st.integers(0, 3)))
        told.append(one._replace(hidden=draw(st.integers(0, 2)) == 0))
    again = draw(st.lists(st.sampled_from(told), max_size=5)) if told else []
    return draw(st.permutations(told + again))


# --- the ranking ---


@given(histories(), st.integers(0, 4), st.integers(0, 4))
def test_every_move_is_as_the_player_sees_it_and_every_row_as_others_do(
    history: list[ScoreFact], above: int, below: int
) -> None:
    """Whoever is hidden, shown again, or scores meanwhile; whatever comes late or twice."""
    ranking, naive = Ranking(SMALL), NaiveBoard()
    for each in history:
        assert ranking.is_news(each) == (each.version > getattr(naive.facts.get(each.user_id), "version", -1))
        move = ranking.apply(each)
        assert naive.apply(each) == (move.previous, move.new)
    assert naive.rows() == ranking.rows(0, 100)
    for user_id in naive.facts:
        at = (naive.rank(user_id) or 0) - 1
        assert naive.rows(user_id)[max(at - above, 0) : at + below + 1] == ranking.own_window(user_id, above, below)
        shown = not naive.facts[user_id].hidden
        assert shown == (ranking.row(user_id) is not None) == bool(ranking.around(user_id, 1, 1))


@given(histories(), st.integers(0, 8))
def test_who_is_loaded_hidden_is_known_and_not_shown(history: list[ScoreFact], later: int) -> None:
    """And what is told afterwards is taken in as ever."""
    naive, loaded = NaiveBoard(), Ranking(SMALL)
    for each in history[later:]:
        naive.apply(each)
    loaded.load(members_of(list(naive.facts.values())))
    for _ in loaded.arrange():
        pass
    assert naive.rows() == loaded.rows(0, 100)
    for each in history[:later]:
        move = loaded.apply(each)
        assert naive.apply(each) == (move.previous, move.new)
    assert naive.rows() == loaded.rows(0, 100)


@given(histories(), histories())
def test_the_mark_remembers_who_was_hidden_since(before: list[ScoreFact], after: list[ScoreFact]) -> None:
    """Others' ranks of then count them; one who is shown again within a tick has the rank of then."""
    ranking = Ranking(SMALL)
    for each in before:
        ranking.apply(each)
    ranks = {row.user_id: row.rank for row in ranking.rows(0, 100)}
    ranking.mark()
    for each in after:
        ranking.apply(each._replace(version=each.version + 100))
    players = [row.user_id for row in ranking.rows(0, 100)]
    assert {user_id: ranks.get(user_id) for user_id in players} == ranking.ranks_at_mark(players)


@example([fact("a", 2, 1)._replace(hidden=True), fact("b", 1, 1)], [fact("a", 0, 1)], 0)  # shown again, further down
@example([fact("a", 2, 1), fact("b", 1, 1)._replace(hidden=True)], [fact("a", 0, 1)], 0)  # passed by the only other
@example([fact("b", 1, 1)], [fact("a", 2, 1)._replace(hidden=True)], 0)  # comes and is hidden
@given(histories(), histories(), st.integers(0, 3))
def test_a_window_that_no_touched_rank_meets_is_as_it_was(
    before: list[ScoreFact], after: list[ScoreFact], radius: int
) -> None:
    """In the player's own eyes, hidden or not; also of who is not there yet."""
    ranking = Ranking(SMALL)
    for each in before:
        ranking.apply(each)
    ranking.take_touched()
    old = {user_id: ranking.own_window(user_id, radius, radius) for user_id in PLAYERS}
    for each in after:
        ranking.apply(each._replace(version=each.version + 100))
    touched = ranking.take_touched()
    assert touched is not None
    for user_id, rows in old.items():
        own = next((row.rank for row in rows if row.user_id == user_id), END)
        if not any(t.first <= own + radius and own - radius <= t.last for t in touched):
            assert rows == ranking.own_window(user_id, radius, radius)


# --- the boards ---


async def test_who_is_hidden_leaves_every_board_and_comes_back_exactly(autojump_clock: MockClock) -> None:
    """With all that was scored meanwhile, wherever the board stands by then; at once, not at the next look."""
    async with running_stage(*"abc") as stage:
        for name in "abc":
            await stage.move(name, "US")
        await stage.apply(*await stage.gain("a", "a", "b", "c"))
        before = {board: await stage.rows(board) for board in BOARDS}
        await stage.stand("a", quarantined=True)
        for board in BOARDS:
            assert "a" not in dict(await stage.rows(board))
        await stage.apply(*await stage.gain("a", "b"))
        await stage.stand("a", quarantined=False)
        after = {board: await stage.rows(board) for board in BOARDS}
        assert [("a", 2), ("b", 1), ("c", 1)] == before[DAILY]
        for board in BOARDS:
            assert [("a", 3), ("b", 2), ("c", 1)] == after[board] == stage.truth_of(board)


@pytest.mark.parametrize("seed", range(6))
async def test_every_board_ends_where_the_ledger_says(autojump_clock: MockClock, seed: int) -> None:
    """Scores, moves to other countries, players hidden and shown; boards that are loaded in between, and told late."""
    rng = random.Random(seed)
    async with running_stage(*"abcdef") as stage:
        late: list[ScoreFact] = []
        for _ in range(120):
            name, kind = rng.choice("abcdef"), rng.random()
            if kind < 0.5:
                facts = await stage.commit(name)
                late += facts
            elif kind < 0.7:
                await stage.move(name, rng.choice(["US", "DE"]))
            elif kind < 0.9:
                late.append(await stage.stand(name, quarantined=rng.random() < 0.5))
            else:
                await stage.rows(rng.choice(BOARDS))
            if len(late) > 5:
                rng.shuffle(late)
                stage.active.tell(late)
                await stage.apply(*late)
                late.clear()
        stage.active.tell(late)
        await stage.apply(*late)
        await trio.sleep(3)
        for board in BOARDS:
            assert stage.truth_of(board) == await stage.rows(board)


async def test_screens_are_repaired_within_a_tick(autojump_clock: MockClock) -> None:
    """A diff takes the row off and moves the others up, and the next one puts it back; nothing is shown anew."""
    async with running_stage(*"abcd") as stage:
        daily = Channel(DAILY, 3)
        await stage.rows(DAILY)
        await stage.apply(*await stage.gain("a", "a", "b", "c"))
        everybody, today = Watcher(), Watcher()
        await stage.watch(everybody, TOP3)
        await stage.watch(today, daily)
        await trio.sleep(2)
        shown = clients_of(everybody).rows
        for hidden in (True, False):
            at = trio.current_time()
            await stage.stand("a", banned=hidden)
            await trio.sleep(1.1)
            for watcher in (everybody, today):
                step = watcher.seen[-1]
                assert step.diff is not None
                assert at <= watcher.times[-1] <= at + 1
                assert (("a",) if hidden else ()) == tuple(u for u in step.diff.removed if u == "a")
        assert shown == clients_of(everybody).rows
        assert [("a", 2), ("b", 1), ("c", 1)] == [(row.user_id, row.score) for row in clients_of(today).rows]
        assert (everybody.seen[0].epoch, 1) == (everybody.seen[-1].epoch, clients_of(everybody).fulls)


async def test_a_change_of_standing_that_was_lost_is_made_up_for(autojump_clock: MockClock) -> None:
    """A board that reads all players again learns who is hidden, and who no more."""
    async with running_stage(*"ab") as stage:
        stage.store.players.rows[UserId("a")].banned = True
        stage.store.players.rows[UserId("a")].version += 1
        stage.board.tell(CatchUp())
        await trio.sleep(1)
        assert [("b", 0)] == await stage.rows(ALL_TIME)
        stage.store.players.rows[UserId("a")].banned = False
        stage.store.players.rows[UserId("a")].version += 1
        stage.board.tell(CatchUp())
        await trio.sleep(1)
        assert [("a", 0), ("b", 0)] == await stage.rows(ALL_TIME)


# --- in the player's own eyes ---


async def around(stage: Stage, name: str, *, own: bool) -> AroundAnswer:
    """Two rows on either side."""
    return await stage.board.ask(Around(UserId(name), 2, 2, own=own), within=5)


async def test_who_is_hidden_stands_where_it_would_in_its_own_eyes_only(autojump_clock: MockClock) -> None:
    """Rank, share and neighbours; to others there is no such player."""
    async with running_stage(*"abc") as stage:
        await stage.score("a", "a", "b", "b", "b")
        await stage.stand("a", quarantined=True)
        standing = await stage.board.ask(RankOf(UserId("a"), own=True), within=5)
        assert (2, 2, 3, 66.7) == (standing.row.rank, standing.row.score, standing.total, standing.percentile)
        found = await around(stage, "a", own=True)
        assert [("b", 1), ("a", 2), ("c", 3)] == [(row.user_id, row.rank) for row in found.rows]
        assert (3, "a") == (found.total, found.row.user_id)
        questions: list[Question[Any]] = [RankOf(UserId("a")), Around(UserId("a"), 2, 2)]
        for question in questions:
            with pytest.raises(NotRanked):
                await stage.board.ask(question, within=5)
        assert [("b", 1), ("c", 2)] == [(row.user_id, row.rank) for row in (await around(stage, "b", own=True)).rows]
        assert (RankMove(2, 1),) == await stage.apply(*(await stage.commit("a", "a"))[-1:])


async def test_a_board_with_nobody_else_on_it_has_a_share_too(autojump_clock: MockClock) -> None:
    """All players there are stand no higher."""
    async with running_stage("a") as stage:
        await stage.stand("a", quarantined=True)
        standing = await stage.board.ask(RankOf(UserId("a"), own=True), within=5)
        assert (1, 100.0, 1) == (standing.row.rank, standing.percentile, standing.total)


async def test_who_is_hidden_goes_on_seeing_itself_move(autojump_clock: MockClock) -> None:
    """Its own line, and its neighbours with it among them, whatever it or others score."""
    async with running_stage(*"abcdef") as stage:
        me, near = await join(stage, "a", ME), await join(stage, "a", AROUND2)
        other = await join(stage, "b", AROUND2)
        await stage.score("b", "b")
        await stage.stand("a", quarantined=True)
        await trio.sleep(1.5)
        assert [("a", 2, 0)] == [(row.user_id, row.rank, row.score) for row in clients_of(me).rows]
        for name, rank, score in (("a", 2, 1), ("a", 2, 2), ("a", 1, 3), ("b", 2, 3), ("c", 2, 3)):
            await stage.score(name)
            await trio.sleep(1.5)
            if name == "a":
                assert [("a", rank, score)] == [(row.user_id, row.rank, row.score) for row in clients_of(me).rows]
            window = stage.store.players.rows["a"]  # type: ignore[index]
            assert window.score in [row.score for row in clients_of(near).rows if row.user_id == "a"]
            assert "a" not in [row.user_id for row in clients_of(other).rows]


async def test_who_is_hidden_is_counted_in_its_own_eyes_only(autojump_clock: MockClock) -> None:
    """The last of six is the sixth of six, also where its screen is sent for: five would tell it what was done."""
    async with running_stage(*"abcdef") as stage:
        watchers = {name: await join(stage, name, channel) for name, channel in (("f", ME), ("b", ME), ("e", AROUND2))}
        await stage.stand("f", quarantined=True)
        await stage.score("f", "a", "b", "e")
        await trio.sleep(1.5)
        again = await join(stage, "f")
        assert {"f": 6, "b": 5, "e": 5} == {name: clients_of(each).total for name, each in watchers.items()}
        assert (6, 6) == (clients_of(again).total, len({*stage.store.players.rows}))


async def test_who_is_hidden_sees_itself_come_to_a_board_and_leave_it(autojump_clock: MockClock) -> None:
    """Nobody else's line moves by that."""
    async with running_stage(*"ab") as stage:
        await stage.stand("a", quarantined=True)
        await stage.rows(DAILY_US)
        watcher = await join(stage, "a", Channel(DAILY_US, 0, around=True))
        seen = []
        for deed in (stage.move("a", "US"), stage.gain("a"), stage.move("a", "DE")):
            await deed
            await trio.sleep(3)
            seen.append([(row.user_id, row.score) for row in clients_of(watcher).rows])
        assert [[], [("a", 1)], []] == seen


async def test_a_period_board_tells_a_hidden_player_its_own_gains(autojump_clock: MockClock) -> None:
    """As it was loaded, and as they grow."""
    async with running_stage(*"ab") as stage:
        await stage.commit("a", "b", "b")
        await stage.stand("a", quarantined=True)
        assert [("b", 2)] == await stage.rows(DAILY)
        for score, rank in ((2, 2), (3, 1)):
            await stage.gain("a")
            standing = await stage.boards.ask(DAILY, RankOf(UserId("a"), own=True), within=5)
            assert (score, rank) == (standing.row.score, standing.row.rank)
        assert [("b", 2)] == await stage.rows(DAILY)


async def test_hundreds_of_facts_with_hidden_ones_among_them_are_one_step(autojump_clock: MockClock) -> None:
    """Taken in together, as ever."""
    async with running_stage(*"ab") as stage:
        facts = [
            *await stage.commit(*"ab" * 200),
            await stage.stand("b", quarantined=True),
            *await stage.commit("a", "b"),
        ]
        moves = await stage.board.ask(Apply(tuple(facts)), within=5)
        assert len(facts) == len(moves)
        assert [("a", 201)] == await stage.rows(ALL_TIME) == stage.truth()
