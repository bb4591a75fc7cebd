from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.ledger.follower import MOST_CHANGES
from actors.ledger.history import SETTLE_S, History
from actors.ports import LoggedFacts, ProfileChange, StoreUnavailable, UserId
from tests.fakes import FakeProfileStore
from tests.ledger.beside import HERE, LATER, LOOK_S, THERE, following

#: A second is promised; nothing waits for the clock here but the follower.
SECOND = 1.0


async def test_what_others_say_is_on_the_board_at_once(autojump_clock: MockClock) -> None:
    """By the log, without anything being read of the store."""
    async with following("a", "b") as beside:
        began = trio.current_time()
        await beside.score("a", "b", "a")
        await wait_all_tasks_blocked()
        assert beside.level
        assert trio.current_time() == began
        await trio.sleep(3 * LOOK_S)
        assert (0, [], []) == (beside.batches.reads, beside.healed, beside.missed)
        assert [("log", 3)] == beside.ways


async def test_own_entries_are_passed_over(autojump_clock: MockClock) -> None:
    """The ledger has told the boards already."""
    async with following("a") as beside:
        facts, batch = await beside.commit("a", chain=HERE)
        await beside.say(facts, batch, chain=HERE)
        await trio.sleep(SECOND)
        assert ([], []) == (beside.ways, beside.board.batches)


async def test_an_entry_that_is_lost_is_read_as_soon_as_the_next_one_shows_it(autojump_clock: MockClock) -> None:
    """Its number is missing then."""
    async with following("a", "b") as beside:
        await beside.commit("a")
        await beside.score("b")
        await wait_all_tasks_blocked()
        began = trio.current_time()
        await wait_all_tasks_blocked()
        assert (beside.level, beside.healed, beside.skipped) == (True, [2], [])
        assert trio.current_time() == began


async def test_the_last_entry_of_all_is_missed_within_a_second(autojump_clock: MockClock) -> None:
    """Nothing behind it shows that it was lost."""
    async with following("a") as beside:
        for _ in range(20):
            await trio.sleep(0.05)  # wherever between two looks
            await beside.commit("a")
            await trio.sleep(SECOND)
            assert beside.level
        assert [1] * 20 == beside.healed


@pytest.mark.parametrize("way", ["loses", "doubles", "turns round", "holds back"])
async def test_whatever_the_log_does_boards_are_level_within_a_second_of_quiet(
    autojump_clock: MockClock, way: str
) -> None:
    """Entries of two workers, and of one that comes later."""
    held: list[LoggedFacts] = []

    def mangle(entry: LoggedFacts) -> list[LoggedFacts]:
        match way:
            case "loses":
                return [entry] if sum(entry.batches) % 3 else []
            case "doubles":
                return [entry, entry]
            case "turns round":
                held.append(entry)
                return [held.pop(), held.pop()] if len(held) > 1 else []
        held.append(entry)
        return [held.pop(0)] if len(held) > 5 else []

    async with following("a", "b", "c") as beside:
        beside.log.bus.mangle = mangle
        for number in range(31):
            await beside.score(*"abcab"[number % 3 :], chain=(THERE, LATER)[number > 10 and number % 2])
            await trio.sleep(0.03)
        await trio.sleep(SECOND)
        assert beside.level
        assert [] == beside.lost


async def test_a_log_that_stalls_or_is_away_costs_less_than_a_second(autojump_clock: MockClock) -> None:
    """While it does not answer each look is read at once; who operates it is told, once, and when it is back."""
    async with following("a") as beside:
        beside.deaf.clear()
        gate = beside.log.faults.hold()
        await trio.sleep(10)
        for _ in range(9):
            await beside.commit("a")
            await trio.sleep(LOOK_S + 0.1)
            assert beside.level
        assert [True] == beside.deaf
        gate.set()
        beside.log.faults._gate = None
        await trio.sleep(2)
        beside.forget()
        await beside.score("a")
        await wait_all_tasks_blocked()
        assert (True, [], [("log", 1)]) == (beside.level, beside.healed, beside.ways)


async def test_a_log_that_begins_anew_is_listened_to_again(autojump_clock: MockClock) -> None:
    """On another machine, which is behind: its positions are lower than the place at which one listened."""
    async with following("a") as beside:
        for _ in range(10):
            await beside.score("a")
        await trio.sleep(SECOND)
        beside.log.bus.clear(last=1)
        await beside.score("a")
        await trio.sleep(SECOND)
        assert (beside.level, len(beside.skipped)) == (True, 1)
        beside.forget()
        await beside.score("a")
        await wait_all_tasks_blocked()
        assert (True, [("log", 1)]) == (beside.level, beside.ways)


async def test_a_log_that_is_emptied_goes_on(autojump_clock: MockClock) -> None:
    """What was in it and was not heard is read."""
    async with following("a", "b") as beside:
        await beside.commit("a")
        beside.log.bus.clear()
        await trio.sleep(SECOND)
        assert beside.level
        await beside.score("b")
        await wait_all_tasks_blocked()
        assert beside.level


async def test_players_who_are_new_or_look_another_way_come_by_the_store(autojump_clock: MockClock) -> None:
    """If nobody said so: an operator did it, or the entry was lost. However late it was committed."""
    async with following("a") as beside:
        beside.store.players.add("b")
        profiles = FakeProfileStore(beside.store.players)
        await profiles.change_profile(UserId("a"), ProfileChange(country="DE"))
        await trio.sleep(LOOK_S + 0.1)
        assert ["DE", None] == [row.country for row in beside.board.ranking.rows(0, 9)]
        beside.store.players.ban(UserId("a"))
        await trio.sleep(LOOK_S + 0.1)
        assert beside.level
        assert [] == beside.lost


@pytest.mark.parametrize("many", [False, True])
async def test_when_very_many_have_changed_boards_are_read_again(autojump_clock: MockClock, many: bool) -> None:  # noqa: FBT001
    """Also when the store says that it were too many to name; and operators are told."""
    async with following("a") as beside:
        for number in range(MOST_CHANGES + 1 if many else 1):
            beside.store.players.changed(UserId(f"{number}") if many else None)
        beside.store.players.rows[UserId("a")].score = 7
        beside.store.players.rows[UserId("a")].version = 7
        await trio.sleep(SECOND)
        assert (True, [None], 1) == (beside.level, beside.lost, beside.others.catch_ups)


async def test_who_is_far_behind_has_boards_read_again(autojump_clock: MockClock) -> None:
    """Rather than all batches one by one; and goes on from there."""
    async with following("a", most_behind=10) as beside:
        for _ in range(11):
            await beside.commit("a")
        await trio.sleep(2 * SECOND)
        assert (True, [11], 1, 0) == (beside.level, beside.lost, beside.board.catch_ups, beside.batches.reads)
        await beside.score("a")
        await wait_all_tasks_blocked()
        assert (True, [11]) == (beside.level, beside.lost)


async def test_who_was_away_for_longer_than_changes_are_kept_reads_all(autojump_clock: MockClock) -> None:
    """What was told meanwhile may have been swept away."""
    async with following("a") as beside:
        beside.batches.faults.fail_before(StoreUnavailable("away"))
        await trio.sleep(LOOK_S)
        beside.store.players.clock.us += beside.batches.changes_kept_us  # type: ignore[attr-defined]
        await trio.sleep(2 * SECOND)
        assert [None] == beside.lost


async def test_a_store_that_is_away_is_asked_again(autojump_clock: MockClock) -> None:
    """Each time that is told; then nothing is missing."""
    async with following("a", "b", store_within_s=1.0) as beside:
        beside.batches.faults.fail_before(*[StoreUnavailable("away")] * 3)
        await beside.commit("a")
        beside.store.players.add("c")
        await trio.sleep(4)
        assert (3, True) == (len(beside.missed), beside.level)
        gate = beside.batches.faults.hold()
        await beside.commit("a")
        await trio.sleep(5)
        assert isinstance(beside.missed[-1], trio.TooSlowError)
        gate.set()
        beside.batches.faults._gate = None
        await trio.sleep(2)
        assert beside.level


async def test_a_board_that_is_away_hears_it_when_it_is_back(autojump_clock: MockClock) -> None:
    """However it came; the boards beside are told at once."""
    async with following("a", "b") as beside:
        gate = beside.board.gate = trio.Event()
        await beside.score("a")
        await beside.commit("b")
        await trio.sleep(9)
        assert {"a": 0, "b": 0} == beside.board.scores
        gate.set()
        beside.board.gate = None
        await trio.sleep(2)
        assert beside.level
        assert {"a", "b"} == {fact.user_id for _, facts in beside.others.told for fact in facts}


async def test_a_new_life_has_boards_read_again_that_were_loaded_before(autojump_clock: MockClock) -> None:
    """It begins at what it finds, and does not know of what came between."""
    async with following("a", loaded=True) as beside:
        beside.follower.tell("nonsense")
        await wait_all_tasks_blocked()
        await beside.commit("a")
        await trio.sleep(SECOND)
        assert (True, 1) == (beside.level, beside.board.catch_ups)
        await beside.score("a")
        await trio.sleep(SECOND)
        assert (True, 1, 0) == (beside.level, beside.board.catch_ups, beside.batches.reads)
        await beside.commit("a")
        await trio.sleep(LOOK_S)
        assert 0 == beside.batches.reads  # who has heard the log waits for it


async def test_boards_that_were_loaded_before_a_history_was_known_are_built_anew(autojump_clock: MockClock) -> None:
    """The store was away when the first life began, and what they have may have been lost since."""
    async with following("a", loaded=True) as beside:
        assert (1, 0) == (beside.board.rebuilds, beside.board.catch_ups)


async def test_a_follower_that_falls_behind_drops_what_it_heard_and_reads_it(autojump_clock: MockClock) -> None:
    """The listener keeps nothing: it goes to the end of the log."""
    async with following("a", board_within_s=30.0) as beside:
        gate = beside.board.gate = trio.Event()
        for _ in range(20):
            await beside.score("a")
            await trio.sleep(1)
        assert len(beside.skipped) >= 1
        gate.set()
        beside.board.gate = None
        await trio.sleep(2)
        assert beside.level


async def test_the_lag_is_told_at_each_look(autojump_clock: MockClock) -> None:
    """How many batches are missing, and since when."""
    async with following("a", store_within_s=30.0) as beside:
        await trio.sleep(3.5 * LOOK_S)
        assert {(0, 0.0)} == {(lag.batches, lag.seconds) for lag in beside.lags}
        await beside.commit("a")
        await beside.commit("a")
        await trio.sleep(LOOK_S)
        assert (2, 0.0) == (beside.lags[-1].batches, beside.lags[-1].seconds)
        await trio.sleep(LOOK_S)
        assert 0 == beside.lags[-1].batches


async def test_entries_of_the_version_before_are_taken_in(autojump_clock: MockClock) -> None:
    """They do not say whose they are; the store shows whether anything is missing."""
    async with following("a") as beside:
        facts, _ = await beside.commit("a")
        beside.log.bus.add(LoggedFacts("", tuple(facts)))
        await wait_all_tasks_blocked()
        assert beside.level


async def test_a_look_reads_more_than_one_page(autojump_clock: MockClock) -> None:
    """Of two workers, one of which has committed much more."""
    async with following("a", "b") as beside:
        for _ in range(200):
            await beside.commit("a")
        await beside.commit("b", chain=LATER)
        await trio.sleep(SECOND)
        assert (True, 4) == (beside.level, beside.batches.reads)


async def test_a_store_that_has_lost_commits_is_followed_from_where_it_stands(autojump_clock: MockClock) -> None:
    """A replica that lagged was promoted: boards show no more what is lost.

    Nor is anything that counts since passed over because its number was known, or its version.
    """
    async with following("a", "b") as beside:
        replica = beside.store.replica()
        for _ in range(3):
            await beside.score("a", "b")
        await trio.sleep(SECOND)
        assert {"a": 3, "b": 3} == beside.board.scores
        assert 6 == len(beside.store.promote(replica))
        await beside.score("b")
        await trio.sleep(SECOND)
        assert {"a": 0, "b": 1} == beside.board.scores
        assert (["2"], 1, 1) == (beside.rewritten, beside.board.rebuilds, beside.others.catch_ups)
        await beside.score("a")
        await trio.sleep(SECOND)
        assert beside.level


async def test_entries_of_a_history_that_is_lost_are_not_taken_in_any_more(autojump_clock: MockClock) -> None:
    """They may come late; until none can come any more the store alone is believed, and boards are built once more."""
    async with following("a") as beside:
        replica = beside.store.replica()
        facts, batch = await beside.commit("a")
        late, later = await beside.commit("a")
        await beside.say(facts, batch)
        await trio.sleep(SECOND)
        beside.store.promote(replica)
        await trio.sleep(SECOND)
        await beside.say(late, later)
        await trio.sleep(SECOND)
        assert {"a": 0} == beside.board.scores
        await beside.score("a")
        await trio.sleep(SECOND)
        assert ({"a": 1}, 1) == (beside.board.scores, beside.board.rebuilds)
        beside.board.ranking.apply(late[0])  # by the ledger of this worker, when it had it
        await trio.sleep(SETTLE_S)
        assert ({"a": 1}, 2) == (beside.board.scores, beside.board.rebuilds)
        beside.forget()
        await beside.score("a")
        await wait_all_tasks_blocked()
        assert (True, [("log", 1)]) == (beside.level, beside.ways)


async def test_an_entry_of_another_history_is_never_taken_in(autojump_clock: MockClock) -> None:
    """However late, and also by a worker that has begun since; one of this history is, at once."""
    async with following("a", "b") as beside:
        replica = beside.store.replica()
        lost, number = await beside.commit("a")
        beside.store.promote(replica)
        beside.follower.tell("nonsense")
        await trio.sleep(2 * SETTLE_S)
        assert {"a": 0, "b": 0} == beside.board.scores
        await beside.say(lost, number, history="1")
        await trio.sleep(SECOND)
        assert {"a": 0, "b": 0} == beside.board.scores
        beside.store.promote(beside.store.replica())
        await trio.sleep(SECOND)
        beside.forget()
        facts, number = await beside.commit("b")
        await beside.say(facts, number, history="3")
        await wait_all_tasks_blocked()
        assert ({"a": 0, "b": 1}, [("log", 1)]) == (beside.board.scores, beside.ways)


async def test_what_a_board_could_not_take_of_a_lost_history_is_forgotten(autojump_clock: MockClock) -> None:
    """It is not handed over when the board is there again."""
    async with following("a") as beside:
        replica = beside.store.replica()
        gate = beside.board.gate = trio.Event()
        await beside.score("a")
        await trio.sleep(SECOND)
        beside.store.promote(replica)
        await trio.sleep(2 * SETTLE_S)
        gate.set()
        beside.board.gate = None
        await trio.sleep(SECOND)
        assert {"a": 0} == beside.board.scores


async def test_a_history_that_ends_while_the_follower_is_away_is_noticed_by_its_next_life(
    autojump_clock: MockClock,
) -> None:
    """What it shares outlives it; also that it has to be done once more."""
    async with following("a", loaded=True) as beside:
        replica = beside.store.replica()
        await beside.score("a")
        await wait_all_tasks_blocked()
        beside.store.promote(replica)
        for _ in range(2):
            beside.follower.tell("nonsense")
            await trio.sleep(SECOND)
            assert {"a": 0} == beside.board.scores
        rebuilds = beside.board.rebuilds
        await trio.sleep(SETTLE_S)
        assert (["2"], rebuilds + 1) == (beside.rewritten, beside.board.rebuilds)


async def test_a_store_that_does_not_say_which_history_it_has_is_followed_as_ever(autojump_clock: MockClock) -> None:
    """Neither that it says nothing is news, nor that it says the same again."""
    history = History()
    assert [False] * 3 == [history.enter(name, 0.0) for name in ("1", "", "1")]
    assert history.enter("2", 0.0)
    assert ("2", False, True) == (history(), history.is_settled(SETTLE_S - 1), history.is_settled(SETTLE_S))
