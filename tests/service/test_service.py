from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.ledger.messages import LedgerUnavailable
from actors.limits.limiter import Limiter
from actors.limits.windows import Windows
from actors.ports import CommitUnknown, Source, StoreFault, StoreUnavailable
from actors.runtime import Actor, ActorError, ActorStopped, Directory, Ref, running_actor
from actors.service.actor import ServiceActor, ServiceRules, ServiceWorld
from actors.service.messages import RowRefused, RowResult, RowScored, ServiceBusy, Submit, TooManyRows
from actors.service.messages import ScoreRow as Row
from tests.fakes.system import TrioClock
from tests.ledger.office import PATIENT, Office, running_office

HERE = Source("192.0.2.9", "a game")


@dataclass
class Game:
    """The parts, and the verbs of tests."""

    office: Office
    services: Directory[str]

    async def submit(self, *rows: Row, service: str = "game", within: float = 30) -> list[RowResult]:
        return await self.services.ask(service, Submit(rows, HERE), within=within)

    async def try_submit(self, heard: list[object], *rows: Row, within: float = 30) -> None:
        try:
            heard.append(await self.submit(*rows, within=within))
        except ActorError as error:
            heard.append(error)


@asynccontextmanager
async def running_game(
    rules: ServiceRules | None = None, *, ledger: Ref | None = None, idle_after_s: float = 120, **settings: Any
) -> AsyncIterator[Game]:
    """Players a and b, and one who is banned; actions worth 1 and 50. `settings` are the office's."""
    async with running_office(**settings) as office:
        office.add("a", "b", "banned")
        office.player("banned").banned = True
        office.store.catalogue = {"INCREMENT": 1, "WIN_GAME": 50}
        limits = Limiter(Windows(), Ref("nobody", lambda _: None))
        world = ServiceWorld(TrioClock(), office.store, rules or ServiceRules(), ledger or office.ledger, limits)
        services: Directory[str] = Directory(
            "service",
            lambda name: ServiceActor(name, world),
            rng=random.Random(0),
            options=PATIENT,
            idle_after_s=idle_after_s,
        )
        async with services.running():
            yield Game(office, services)


def codes(results: list[RowResult]) -> list[str | int]:
    """The new score of each row that counts, the code of each that does not."""
    return [result.new_score if isinstance(result, RowScored) else result.code for result in results]


async def test_points_come_from_the_catalogue_and_good_rows_count_beside_bad_ones(autojump_clock: MockClock) -> None:
    """What the sender believes must be what the catalogue says."""
    async with running_game() as game:
        results = await game.submit(
            Row("a", "1", "WIN_GAME", 50),
            Row("a", "2", "WIN_GAME", 51),
            Row("a", "3", "FLY"),
            Row("b", "4"),
            Row("banned", "5"),
            Row("nobody", "6"),
        )
        assert [50, "INVALID_INPUT", "INVALID_INPUT", 1, "USER_BANNED", "USER_NOT_FOUND"] == codes(results)
        assert RowScored("1", "a", 50, 1, 1, repeated=False) == results[0]
        assert RowScored("4", "b", 1, 2, 2, repeated=False) == results[3]
        assert "must be 50" in str(results[1])
        assert {"a": 50, "b": 1, "banned": 0} == game.office.totals
        assert [1, 50] == sorted({write.points for write, _ in game.office.store.ledger})


async def test_a_row_tells_the_ranks_before_and_after_it(autojump_clock: MockClock) -> None:
    """Each of a batch its own, also of one player."""
    async with running_game() as game:
        await game.submit(Row("a", "1"))
        results = await game.submit(Row("b", "2"), Row("b", "3"), Row("a", "4"))
        assert [(1, 2, 2), (2, 2, 1), (2, 2, 2)] == [result[2:5] for result in results]


async def test_the_same_batch_again_hears_the_same_and_counts_nothing(autojump_clock: MockClock) -> None:
    """However much was scored since; ranks were of that moment."""
    async with running_game() as game:
        rows = [Row("a", "1"), Row("b", "2"), Row("a", "3")]
        first = await game.submit(*rows)
        await game.submit(Row("a", "4"))
        again = await game.submit(*rows)
        assert [1, 1, 2] == codes(first) == codes(again)
        assert [(None, None, True)] * 3 == [result[3:] for result in again]
        assert {"a": 3, "b": 1, "banned": 0} == game.office.totals


async def test_an_action_counts_for_one_player_as_one_thing(autojump_clock: MockClock) -> None:
    """Its id is taken for ever, but only within its service."""
    async with running_game() as game:
        await game.submit(Row("a", "1"))
        again = await game.submit(Row("b", "1"), Row("b", "2"))
        assert ["ACTION_ALREADY_COMPLETED", 1] == codes(again)
        assert ["ACTION_ALREADY_COMPLETED"] == codes(await game.submit(Row("a", "1", "WIN_GAME")))
        assert [2] == codes(await game.submit(Row("b", "1"), service="another game"))


async def test_a_twin_within_a_batch_is_a_retry_of_the_first(autojump_clock: MockClock) -> None:
    """It has the same result, and does not reach the store; with another player it is refused."""
    async with running_game() as game:
        results = await game.submit(Row("a", "1"), Row("a", "1"), Row("b", "1"), Row("a", "1", "WIN_GAME"))
        assert [1, 1, *["ACTION_ALREADY_COMPLETED"] * 2] == codes(results)
        assert [False, True] == [result.repeated for result in results if isinstance(result, RowScored)]
        assert [1] == game.office.store.batches
        again = await game.submit(Row("b", "1"), Row("a", "1"))
        assert ["ACTION_ALREADY_COMPLETED", "ACTION_ALREADY_COMPLETED"] == codes(again)


async def test_a_row_behind_one_that_does_not_count_is_told_to_come_alone(autojump_clock: MockClock) -> None:
    """Its action id is still free, but it was not tried."""
    async with running_game() as game:
        results = await game.submit(Row("nobody", "1"), Row("a", "1"), Row("nobody", "1"))
        assert ["USER_NOT_FOUND", "INVALID_INPUT", "USER_NOT_FOUND"] == codes(results)
        assert [1] == codes(await game.submit(Row("a", "1")))


async def test_a_batch_without_a_row_that_could_count_writes_nothing(autojump_clock: MockClock) -> None:
    """It is answered all the same."""
    async with running_game() as game:
        assert ["INVALID_INPUT"] == codes(await game.submit(Row("a", "1", "FLY")))
        assert [] == await game.submit()
        assert [] == game.office.store.batches


async def test_rows_beyond_the_limit_are_refused_a_batch_at_a_time(autojump_clock: MockClock) -> None:
    """With the seconds to wait; what was refused does not count against it, and other services have their own."""
    async with running_game(ServiceRules(rows_per_minute=3)) as game:
        await game.submit(Row("a", "1"), Row("a", "2"))
        with pytest.raises(TooManyRows, match="3 rows a minute") as caught:
            await game.submit(Row("a", "3"), Row("a", "4"))
        assert 60 == caught.value.retry_after_s
        assert [3] == codes(await game.submit(Row("a", "3")))
        assert [4] == codes(await game.submit(Row("a", "1"), service="another"))
        await trio.sleep(60)
        assert [5] == codes(await game.submit(Row("a", "4")))


async def test_a_service_may_have_a_limit_of_its_own(autojump_clock: MockClock) -> None:
    """Lower or higher than that of all; a change holds for the window that is open."""
    own: dict[str, int] = {"another": 1}
    async with running_game(ServiceRules(2, own.get)) as game:
        assert [1, 2] == codes(await game.submit(Row("a", "1"), Row("a", "2")))
        with pytest.raises(TooManyRows, match="1 rows a minute"):
            await game.submit(Row("a", "3"), Row("a", "4"), service="another")
        own["game"] = own["another"] = 3
        assert [3] == codes(await game.submit(Row("a", "5")))
        assert [4, 5] == codes(await game.submit(Row("a", "3"), Row("a", "4"), service="another"))
        with pytest.raises(TooManyRows, match="3 rows a minute"):
            await game.submit(Row("a", "6"))


async def test_a_limit_outlives_the_idleness_of_its_service(autojump_clock: MockClock) -> None:
    """A pause in which its actor was put away does not open a fresh window."""
    async with running_game(ServiceRules(rows_per_minute=1, refresh_s=1e6), idle_after_s=10) as game:
        await game.submit(Row("a", "1"))
        await trio.sleep(50)
        assert 0 == game.services.live
        with pytest.raises(TooManyRows):
            await game.submit(Row("a", "2"))
        await trio.sleep(10)
        assert [2] == codes(await game.submit(Row("a", "2")))


async def test_a_ledger_that_takes_nothing_makes_the_service_busy(autojump_clock: MockClock) -> None:
    """Who sent the batch is told that nothing was done; the service lives on, and what it knows of limits with it."""
    async with running_actor("ledger", Actor, rng=random.Random(0)) as ledger:
        pass
    async with running_game(ServiceRules(rows_per_minute=1), ledger=ledger) as game:
        with pytest.raises(ServiceBusy, match="Nothing was done") as caught:
            await game.submit(Row("a", "1"))
        assert isinstance(caught.value.__cause__, ActorStopped)
        with pytest.raises(TooManyRows):
            await game.submit(Row("a", "1"))


class Turns(trio.abc.Instrument):
    """Counts the turns of the loop."""

    def __init__(self) -> None:
        self.now = 0

    def after_io_wait(self, timeout: float) -> None:
        """Called once a turn."""
        self.now += 1


async def test_others_run_between_two_batches_of_a_service(autojump_clock: MockClock) -> None:
    """However many have come at once: to judge one of a thousand rows takes milliseconds."""
    async with running_game() as game:
        await game.submit()
        turns, at = Turns(), list[int]()
        trio.lowlevel.add_instrument(turns)
        for _ in range(4):
            game.services.promise("game", Submit((), HERE), within=30, settled=lambda _: at.append(turns.now))
        await wait_all_tasks_blocked()
        trio.lowlevel.remove_instrument(turns)
        assert 4 == len(set(at)) == len(at)


async def test_a_batch_whose_sender_goes_before_its_turn_is_not_looked_at(autojump_clock: MockClock) -> None:
    """It uses nothing of the limit, although one before it was in hand."""
    async with running_game(ServiceRules(rows_per_minute=2)) as game:
        faults = game.office.store.faults
        faults.fail_before(*[StoreUnavailable("away")] * 2)  # so the catalogue is read before the first row is judged
        with pytest.raises(ServiceBusy):
            await game.submit(Row("a", "1"))
        faults.delay_s = 5
        heard: list[object] = []
        first, gone = (
            game.services.promise(
                "game", Submit((Row("a", action),), HERE), within=30, settled=lambda each: heard.append(each.outcome)
            )
            for action in "12"
        )
        await wait_all_tasks_blocked()
        gone.withdraw()
        faults.delay_s = 0
        await trio.sleep(9)
        assert (False, 1) == (first.open, len(heard))
        assert [2] == codes(await game.submit(Row("a", "3")))


async def test_batches_of_one_service_are_under_way_together_up_to_a_bound(autojump_clock: MockClock) -> None:
    """The next one is refused at once; when one is done there is room again."""
    async with running_game(ServiceRules(batches_under_way=2)) as game:
        gate = game.office.store.faults.hold()
        game.services.tell("game", Submit((), HERE))
        heard: list[object] = []
        async with trio.open_nursery() as nursery:
            gate.set()
            await game.submit(Row("a", "0"))
            gate = game.office.store.faults.hold()
            for number in range(1, 4):
                nursery.start_soon(game.try_submit, heard, Row("a", str(number)))
                await wait_all_tasks_blocked()
            assert [ServiceBusy] == [type(each) for each in heard]
            gate.set()
        assert [list, list] == [type(each) for each in heard[1:]]
        assert [4] == codes(await game.submit(Row("a", "3")))


async def test_who_has_gone_takes_no_place(autojump_clock: MockClock) -> None:
    """A batch whose sender stopped waiting is under way no more, as far as the bound is concerned."""
    async with running_game(ServiceRules(batches_under_way=1), store_within_s=60) as game:
        heard: list[object] = []
        await game.submit()
        game.office.store.faults.delay_s = 9
        await game.try_submit(heard, Row("a", "1"), within=3)
        assert [1] == codes(await game.submit(Row("a", "1")))


async def test_a_lost_answer_is_made_good_by_the_same_batch(autojump_clock: MockClock) -> None:
    """Whether the transaction stands or not, each row counts once."""
    for lost_after in (True, False):
        async with running_game() as game:
            await game.submit()
            faults = game.office.store.faults
            (faults.fail_after if lost_after else faults.fail_before)(CommitUnknown("lost"))
            rows = [Row("a", str(number)) for number in range(5)]
            with pytest.raises(LedgerUnavailable, match="each counts once"):
                await game.submit(*rows)
            assert [1, 2, 3, 4, 5] == codes(await game.submit(*rows))
            assert 5 == game.office.totals["a"] == game.office.board.scores["a"]


async def test_without_a_catalogue_nothing_is_judged(autojump_clock: MockClock) -> None:
    """The store is asked again with the next batch; once known, it is good while the store is away."""
    async with running_game(ServiceRules(refresh_s=10)) as game:
        faults = game.office.store.faults
        faults.fail_before(StoreUnavailable("away"), StoreUnavailable("away"))
        with pytest.raises(ServiceBusy):
            await game.submit(Row("a", "1"))
        assert [1] == codes(await game.submit(Row("a", "1")))
        faults.fail_before(StoreUnavailable("away"))
        game.office.store.catalogue["FLY"] = 7
        await trio.sleep(11)
        assert ["INVALID_INPUT"] == codes(await game.submit(Row("a", "2", "FLY")))
        await trio.sleep(10)
        assert [8] == codes(await game.submit(Row("a", "2", "FLY")))


async def test_a_thousand_rows_of_one_player_are_a_thousand_points(autojump_clock: MockClock) -> None:
    """Each row hears its own total."""
    async with running_game() as game:
        results = await game.submit(*(Row("a", str(number)) for number in range(1000)))
        assert list(range(1, 1001)) == codes(results)
        assert [1000] == game.office.store.batches


async def test_the_audit_knows_where_a_batch_came_from(autojump_clock: MockClock) -> None:
    """Every row has the source of its request, and the id of its action."""
    async with running_game() as game:
        await game.submit(Row("a", "1"), Row("b", "2"))
        assert {HERE} == {write.source for write, _ in game.office.store.ledger}
        assert ["1", "2"] == [write.action_id for write, _ in game.office.store.ledger]


async def test_a_row_that_cannot_be_confirmed_says_so(autojump_clock: MockClock) -> None:
    """When the others can."""
    results = [
        RowRefused("1", "a", "SERVICE_UNAVAILABLE", "The row could not be confirmed. Send it again: it counts once.")
    ]
    async with running_game() as game:
        await game.submit()
        plain = game.office.store._commit

        def commit(writes, answers):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            if any(each.user_id == "a" for each in writes):
                raise StoreFault("no")
            return plain(writes, answers)

        game.office.store._commit = commit  # type: ignore[method-assign]
        assert results == (await game.submit(Row("a", "1"), Row("b", "2")))[:1]
