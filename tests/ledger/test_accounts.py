from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.ledger.accounts import AccountsActor
from actors.ledger.messages import EndSession, FindAccount, LedgerUnavailable, OpenSession, Register, Rotate
from actors.ports import (
    EmailTaken,
    NameTaken,
    NewAccount,
    NewSession,
    Registered,
    Rotated,
    RotationRefused,
    SessionId,
    StoreFault,
    StoreUnavailable,
    UserId,
)
from actors.runtime import AskTimeout, MailboxFull, Question, Ref, Request, running_actor
from tests.fakes import FakeAccountStore, FakeProfileStore
from tests.ledger.office import NOWHERE, PATIENT, Office, running_office

AWAY = StoreUnavailable("away")
DAY_US = 86_400_000_000


def session(name: str, number: int = 1) -> NewSession:
    """A sign-in; its refresh token's hash is the name with the number."""
    return NewSession(SessionId(f"{name}-{number}"), UserId(name), f"{name}{number}".encode(), 0, 2 * DAY_US, NOWHERE)


def account(name: str, user_id: str | None = None) -> NewAccount:
    """A player to be."""
    return NewAccount(UserId(user_id or name), name, name, f"{name}@example.org", f"{name}@example.org", "hash")


def registration(name: str, user_id: str | None = None) -> Register:
    """A player to be, with a first sign-in."""
    return Register(account(name, user_id), session(user_id or name))


@dataclass
class Desk:
    """The accounts actor beside the office of the ledger."""

    office: Office
    store: FakeAccountStore
    accounts: Ref
    ended: list[SessionId]
    profiles: FakeProfileStore

    async def ask(self, message: Question[Any], within: float = 30) -> Any:
        return await self.accounts.ask(message, within=within)


@asynccontextmanager
async def running_desk() -> AsyncIterator[Desk]:
    """Run it."""
    async with running_office() as office:
        store = FakeAccountStore(office.store.players)
        ended: list[SessionId] = []
        profiles = FakeProfileStore(office.store.players)
        make = partial(AccountsActor, store, office.ledger, profiles=profiles, session_ended=ended.append)
        async with running_actor("accounts", make, rng=random.Random(0), options=PATIENT) as accounts:
            yield Desk(office, store, accounts, ended, profiles)


async def test_who_has_registered_is_on_the_board(autojump_clock: MockClock) -> None:
    """With the answer, not some time later; and signed in."""
    async with running_desk() as desk:
        outcome = await desk.ask(registration("a"))
        assert outcome == Registered(desk.office.fact("a"))
        assert desk.office.board.scores == {"a": 0}
        assert isinstance(await desk.ask(Rotate(b"a1", b"a2", DAY_US, 2 * DAY_US, 0)), Rotated)


async def test_who_is_lost_before_signing_in_is_told_to_register_again(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store has lost its last commits; nobody is let in who is nobody."""
    async with running_desk() as desk:
        register = desk.store._register

        def registered_and_lost(made: NewAccount) -> object:
            outcome = register(made)
            desk.store.players.rows.clear()
            return outcome

        monkeypatch.setattr(desk.store, "_register", registered_and_lost)
        with pytest.raises(LedgerUnavailable, match="Try again"):
            await desk.ask(registration("a"))
        monkeypatch.undo()
        assert isinstance(await desk.ask(registration("a")), Registered)


async def test_a_name_or_address_that_is_taken_is_an_answer(autojump_clock: MockClock) -> None:
    """Nothing has changed."""
    async with running_desk() as desk:
        await desk.ask(registration("a"))
        assert await desk.ask(registration("a", "another")) == NameTaken()
        taken = Register(NewAccount(UserId("b"), "b", "b", "x", "a@example.org", "hash"), session("b"))
        assert await desk.ask(taken) == EmailTaken()
        assert list(desk.store.players.rows) == ["a"]


@pytest.mark.parametrize("done", [False, True])
async def test_a_short_fault_of_the_store_is_not_seen_by_who_registers(
    autojump_clock: MockClock, *, done: bool
) -> None:
    """Nor does it hear that its own name is taken: the same call is made again."""
    async with running_desk() as desk:
        (desk.store.faults.fail_after if done else desk.store.faults.fail_before)(AWAY, AWAY)
        assert isinstance(await desk.ask(registration("a")), Registered)
        assert isinstance(await desk.ask(Rotate(b"a1", b"a2", DAY_US, 2 * DAY_US, 0)), Rotated)


async def test_a_store_that_is_away_refuses(autojump_clock: MockClock) -> None:
    """Every message, in its own words; the actor lives on."""
    async with running_desk() as desk:
        for message in (
            registration("a"),
            FindAccount("a"),
            OpenSession(session("a")),
            Rotate(b"a1", b"a2", 0, 0, 0),
            EndSession(SessionId("a-1"), 0),
        ):
            desk.store.faults.fail_before(*[AWAY] * (1 if isinstance(message, FindAccount) else 4))
            with pytest.raises(LedgerUnavailable, match="cannot be reached"):
                await desk.ask(message)
        assert await desk.ask(FindAccount("a")) is None


async def test_who_was_registered_but_not_signed_in_is_told_to_log_in(autojump_clock: MockClock) -> None:
    """Registering again could only say that the name is taken. The player stands on the board nevertheless."""
    async with running_desk() as desk:
        desk.store.faults.fail_before(None, *[AWAY] * 4)
        with pytest.raises(LedgerUnavailable, match="Log in with your password"):
            await desk.ask(registration("a"))
        assert desk.office.board.scores == {"a": 0}
        found = await desk.ask(FindAccount("a"))
        assert found.user_id == "a"
        await desk.ask(OpenSession(session("a")))


@pytest.mark.parametrize("done", [False, True])
async def test_an_account_that_was_made_although_the_store_seemed_away_is_found(
    autojump_clock: MockClock, *, done: bool
) -> None:
    """The player can log in, and stands on the board without a score; one that was not made is not made any more."""
    async with running_desk() as desk:
        (desk.store.faults.fail_after if done else desk.store.faults.fail_before)(*[AWAY] * 6)
        with pytest.raises(LedgerUnavailable):
            await desk.ask(registration("a"))
        await trio.sleep(30)
        assert desk.office.board.scores == ({"a": 0} if done else {})
        assert list(desk.store.players.rows) == (["a"] if done else [])


async def test_a_session_lasts_until_it_is_ended(autojump_clock: MockClock) -> None:
    """Exchanging and ending pass through to the store."""
    async with running_desk() as desk:
        await desk.ask(registration("a"))
        rotate = Rotate(b"a1", b"a2", DAY_US, 2 * DAY_US, 10)
        first = await desk.ask(rotate)
        assert isinstance(first, Rotated)
        assert await desk.ask(rotate) == first  # within the grace, for the same successor
        await desk.ask(EndSession(SessionId("a-1"), DAY_US))
        assert await desk.ask(Rotate(b"a2", b"a3", DAY_US, 2 * DAY_US, 0)) == RotationRefused(
            "revoked", SessionId("a-1")
        )


async def test_a_lost_exchange_is_made_again(autojump_clock: MockClock) -> None:
    """With the same successor, so nobody is signed out by a fault of ours."""
    async with running_desk() as desk:
        await desk.ask(registration("a"))
        desk.store.faults.fail_after(AWAY)
        assert isinstance(await desk.ask(Rotate(b"a1", b"a2", DAY_US, 2 * DAY_US, 10)), Rotated)


async def test_a_board_that_is_away_delays_no_login_for_long(autojump_clock: MockClock) -> None:
    """A registration waits for the board a second at most; who comes meanwhile waits no longer than that."""
    async with running_desk() as desk:
        desk.office.board.gate = trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(desk.ask, registration("a"))
            await wait_all_tasks_blocked()
            await desk.ask(FindAccount("nobody"))
            assert trio.current_time() < 1.1
        desk.office.board.gate.set()
        desk.office.board.gate = None
        await trio.sleep(2)
        assert desk.office.board.scores == {"a": 0}


async def test_many_are_served_side_by_side(autojump_clock: MockClock) -> None:
    """A store that takes a second takes a second for all who wait."""
    async with running_desk() as desk:
        desk.store.faults.delay_s = 1
        async with trio.open_nursery() as nursery:
            for _ in range(21):
                nursery.start_soon(desk.ask, FindAccount("nobody"))
        assert trio.current_time() < 2.1


async def test_a_store_that_hangs_is_not_waited_for(autojump_clock: MockClock) -> None:
    """Every wait has a bound."""
    async with running_desk() as desk:
        desk.store.faults.hold()
        with pytest.raises(LedgerUnavailable):
            await desk.ask(FindAccount("a"))
        assert trio.current_time() == pytest.approx(15)


async def test_what_the_store_rejects_costs_only_its_own_request(autojump_clock: MockClock) -> None:
    """It would be rejected again, but nobody else shall suffer for it."""
    async with running_desk() as desk:
        desk.store.faults.fail_before(StoreFault("not a value that Postgres can hold"))
        with pytest.raises(LedgerUnavailable):
            await desk.ask(registration("a"))
        assert isinstance(await desk.ask(registration("a")), Registered)


async def test_a_ledger_that_cannot_hear_is_told_of_a_new_player_later(autojump_clock: MockClock) -> None:
    """The player is registered all the same."""
    async with running_desk() as desk:
        deaf = True

        def deliver(request: Request) -> None:
            if deaf:
                raise MailboxFull("full")
            desk.office.ledger._deliver(request)

        ledger = Ref("ledger", deliver)
        make = lambda: AccountsActor(desk.store, ledger, profiles=desk.profiles)  # noqa: E731 - as above
        async with running_actor("accounts", make, rng=random.Random(0), options=PATIENT) as accounts:
            outcome = await accounts.ask(registration("a"), within=5)
            assert isinstance(outcome, Registered)
            await trio.sleep(3)
            assert desk.office.board.scores == {}
            deaf = False
            await trio.sleep(3)
            assert desk.office.board.scores == {"a": 0}


async def test_a_session_that_ends_is_told_although_nobody_waits_for_the_answer(autojump_clock: MockClock) -> None:
    """By a logout, or by a refresh token that came a second time; its access tokens must not outlive it in memory."""
    async with running_desk() as desk:
        await desk.ask(registration("a"))
        await desk.ask(registration("b"))
        await desk.ask(Rotate(b"a1", b"a2", 0, 2 * DAY_US, 0))
        desk.store.faults.delay_s = 5
        with pytest.raises(AskTimeout):
            await desk.ask(Rotate(b"a1", b"stolen", DAY_US, 2 * DAY_US, 0), within=1)
        await trio.sleep(10)  # what is not begun when its asker leaves would never be done
        with pytest.raises(AskTimeout):
            await desk.ask(EndSession(SessionId("b-1"), DAY_US), within=1)
        await trio.sleep(10)
        assert desk.ended == ["a-1", "b-1"]
