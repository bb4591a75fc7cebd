"""How players stand: changed in the store, with the boards told."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from actors.ledger.messages import ChangeStanding, Commit, FindStandings, LedgerUnavailable, LookAgain
from actors.ledger.standing import StandingActor, StandingWorld
from actors.ports import Act, EventId, EventKind, StandingChange, Stood, StoreUnavailable, UnknownUser, UserId
from actors.runtime import ActorCrashed, Question, Ref, running_actor
from tests.fakes import FakeStandingStore
from tests.ledger.office import PATIENT, Office, running_office, write

LOOK_AGAIN_S = 5.0


@dataclass
class Desk:
    """The actor beside the office of the ledger."""

    office: Office
    standing: FakeStandingStore
    actor: Ref
    stood: list[tuple[UserId, Stood]]
    lost: list[int]

    async def ask(self, message: Question[Any], within: float = 30) -> Any:
        return await self.actor.ask(message, within=within)


@asynccontextmanager
async def running_desk(most: int = 100) -> AsyncIterator[Desk]:
    """Run it."""
    async with running_office() as office:
        store, stood, lost = FakeStandingStore(office.store.players), list[tuple[UserId, Stood]](), list[int]()
        world = StandingWorld(store, office.ledger, lambda *told: stood.append(told), lost.append, most_suspects=most)
        make = partial(StandingActor, world)
        async with running_actor("standing", make, rng=random.Random(0), options=PATIENT) as actor:
            yield Desk(office, store, actor, stood, lost)


def banning(number: int, *, banned: bool = True) -> ChangeStanding:
    """An act of its own."""
    act = Act(EventId(f"act {number}"), 0, EventKind.ACT, "operator", "for a test")
    return ChangeStanding(UserId("a"), StandingChange(banned=banned), act)


async def test_who_is_banned_is_off_the_board_when_that_is_answered(autojump_clock: MockClock) -> None:
    """And on it again when it is lifted; others hear of both."""
    async with running_desk() as desk:
        desk.office.add("a", "b")
        outcome = await desk.ask(banning(1))
        assert isinstance(outcome, Stood)
        assert {"b": 0} == desk.office.board.scores
        assert [(UserId("a"), outcome)] == desk.stood
        assert {UserId("a"): outcome.after} == await desk.ask(FindStandings((UserId("a"), UserId("z"))))
        await desk.ask(banning(2, banned=False))
        assert {"a": 0, "b": 0} == desk.office.board.scores


async def test_a_stranger_stands_nowhere(autojump_clock: MockClock) -> None:
    """That is an answer."""
    async with running_desk() as desk:
        assert UnknownUser() == await desk.ask(banning(1))
        assert [] == desk.stood


async def test_a_change_of_standing_is_insisted_on(autojump_clock: MockClock) -> None:
    """A store that is away for a moment is asked again; done twice, it counts once."""
    async with running_desk() as desk:
        desk.office.add("a")
        desk.standing.faults.fail_after(StoreUnavailable("lost"), None)
        outcome = await desk.ask(banning(1))
        assert isinstance(outcome, Stood)
        assert (False, True, 1) == (outcome.before.banned, outcome.after.banned, outcome.fact.version)


async def test_what_was_done_though_it_was_refused_reaches_the_boards_all_the_same(autojump_clock: MockClock) -> None:
    """Whatever the store says later; and what was not done changes nothing."""
    async with running_desk() as desk:
        desk.office.add("a", "b")
        desk.standing.faults.fail_after(*[StoreUnavailable("lost")] * 5)
        with pytest.raises(LedgerUnavailable):
            await desk.ask(banning(1))
        assert {"a": 0, "b": 0} == desk.office.board.scores
        await trio.sleep(3 * LOOK_AGAIN_S)
        assert {"b": 0} == desk.office.board.scores
        desk.standing.faults.fail_before(*[StoreUnavailable("away")] * 5)
        with pytest.raises(LedgerUnavailable):
            await desk.ask(banning(2, banned=False))
        await trio.sleep(3 * LOOK_AGAIN_S)
        assert {"b": 0} == desk.office.board.scores


async def test_a_board_that_was_away_hears_of_it_later(autojump_clock: MockClock) -> None:
    """Nobody waits for it, and it is not forgotten."""
    async with running_desk() as desk:
        desk.office.add("a", "b")
        gate = desk.office.store.faults.hold()
        desk.office.ledger.tell(Commit(write("b", 1)))
        assert isinstance(await desk.ask(banning(1)), Stood)
        assert {"a": 0, "b": 0} == desk.office.board.scores
        gate.set()
        await trio.sleep(3 * LOOK_AGAIN_S)
        assert {"b": 1} == desk.office.board.scores


async def test_who_was_changed_by_somebody_else_is_looked_at_at_once(autojump_clock: MockClock) -> None:
    """An operator's verb, of which this worker only hears."""
    async with running_desk() as desk:
        desk.office.add("a", "b")
        other = banning(1)
        await desk.standing.change_standing(other.user_id, other.change, other.act)
        assert {"a": 0, "b": 0} == desk.office.board.scores
        desk.actor.tell(LookAgain(UserId("a")))
        await trio.sleep(LOOK_AGAIN_S / 10)
        assert {"b": 0} == desk.office.board.scores


async def test_so_many_are_looked_at_again_and_more_are_counted(autojump_clock: MockClock) -> None:
    """A store that is away for long does not fill the memory."""
    async with running_desk(most=1) as desk:
        desk.office.add("a", "b")
        desk.standing.faults.fail_before(*[StoreUnavailable("away")] * 12)
        for name in ("a", "b", "a"):
            with pytest.raises(LedgerUnavailable):
                await desk.ask(replace(banning(1), user_id=UserId(name)))
        assert [1] == desk.lost


async def test_what_it_does_not_understand_ends_its_incarnation(autojump_clock: MockClock) -> None:
    """A mistake of ours; the next one serves."""
    async with running_desk() as desk:
        with pytest.raises(ActorCrashed):
            await desk.ask(object(), within=5)  # type: ignore[arg-type]
        assert {} == await desk.ask(FindStandings(()))
