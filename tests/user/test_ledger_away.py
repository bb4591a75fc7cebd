"""A player whose ledger is away, late, or says what cannot be."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.ports import CommitUnknown, StoreUnavailable
from actors.runtime import Actor, ActorCrashed, ActorError, AskTimeout, running_actor
from actors.user.messages import Increment, ScoreAnswer
from actors.user.refusals import (
    TokenAlreadyUsed,
    Unavailable,
)
from actors.user.token import ActionToken
from tests.user.player import HERE, refused_as, running_players


@pytest.mark.parametrize(
    ("fault", "done"),
    [(StoreUnavailable("away"), False), (CommitUnknown("lost"), False), (CommitUnknown("lost"), True)],
)
async def test_a_retry_after_a_fault_of_the_store_counts_once(
    autojump_clock: MockClock, fault: Exception, *, done: bool
) -> None:
    """With the same key; the refusal says that this is what to do."""
    async with running_players() as players:
        token = await players.token()
        (players.office.store.faults.fail_after if done else players.office.store.faults.fail_before)(fault)
        refusal = await refused_as(Unavailable, players.increment(token, "k"))
        assert "same Idempotency-Key" in str(refusal)
        assert (await players.increment(token, "k")).new_score == 1
        await trio.sleep(5)
        assert players.office.totals["a"] == 1


async def test_a_ledger_that_crashes_is_unavailable_and_a_retry_counts_once(autojump_clock: MockClock) -> None:
    """Even when the score was on disk before it crashed."""
    async with running_players() as players:
        token = await players.token()
        players.office.on_done.append(ZeroDivisionError())
        await refused_as(Unavailable, players.increment(token, "k"))
        assert (await players.increment(token, "k")).new_score == 1
        assert players.office.totals["a"] == 1


async def test_a_ledger_that_does_not_answer_in_time_is_unavailable_and_a_retry_counts_once(
    autojump_clock: MockClock,
) -> None:
    """The score may be made durable after the asker has gone."""
    async with running_players() as players:
        token = await players.token()
        players.office.store.faults.delay_s = 11
        await refused_as(Unavailable, players.increment(token, "k"))
        players.office.store.faults.delay_s = 0
        assert (await players.increment(token, "k")).new_score == 1
        await trio.sleep(30)
        assert players.office.totals["a"] == 1


async def test_a_player_who_is_stopped_hears_of_what_is_on_its_way(autojump_clock: MockClock) -> None:
    """So a server that ends in good order leaves nobody in doubt."""
    async with running_players() as players:
        tokens = [await players.token() for _ in range(2)]
        players.office.store.faults.delay_s = 1
        for token in tokens:
            players.office.nursery.start_soon(players.try_increment, token)
            await wait_all_tasks_blocked()
    assert [type(result) for result in players.results] == [ScoreAnswer] * 2
    assert trio.current_time() < 3  # two transactions, and nothing is waited for behind them


class Nonsense(Actor):
    """In place of a ledger."""

    async def receive(self, message: object) -> object:
        return "nonsense"


async def test_a_player_who_cannot_make_sense_of_the_ledger_ends_its_life(autojump_clock: MockClock) -> None:
    """Who asked is told to ask again, and the next message finds a life that has failed."""
    async with (
        running_actor("ledger", Nonsense, rng=random.Random(0)) as ledger,
        running_players(ledger=ledger) as players,
    ):
        await refused_as(Unavailable, players.increment(await players.token()))
        with pytest.raises(ActorCrashed) as caught:
            await players.token()
        assert "nonsense" in str(caught.value.__cause__)
        await players.token()


async def test_a_ledger_that_takes_nothing_is_unavailable(autojump_clock: MockClock) -> None:
    """With a key or without; and the player lives on."""
    async with running_actor("ledger", Nonsense, rng=random.Random(0)) as ledger:
        pass
    async with running_players(ledger=ledger) as players:
        token = await players.token()
        for key in (None, "k", "k"):
            await refused_as(Unavailable, players.increment(token, key))


async def test_each_score_is_given_up_in_its_own_time(autojump_clock: MockClock) -> None:
    """Ten seconds after it came, whatever came before and behind it."""
    async with running_players() as players:
        tokens = [await players.token() for _ in range(3)]
        players.office.store.faults.hold()
        ends: list[float] = []

        async def increment(token: ActionToken) -> None:
            assert isinstance(await players.try_increment(token), Unavailable)
            ends.append(trio.current_time())

        async with trio.open_nursery() as nursery:
            for token in tokens:
                nursery.start_soon(increment, token)
                await trio.sleep(3)
        assert ends == [10, 13, 16]


async def test_nobody_waits_behind_those_who_have_gone(autojump_clock: MockClock) -> None:
    """A client that asked again and again while the store was frozen hears its answer as soon as that is back."""
    async with running_players() as players:
        token = await players.token()
        wish, frozen = Increment(token, "k", HERE), players.office.store.faults.hold()

        async def ask(within: float) -> None:
            with suppress(ActorError):
                await players.users.ask("a", wish, within=within)

        for _ in range(20):
            players.office.nursery.start_soon(ask, 2)
            await trio.sleep(3)
        frozen.set()
        players.office.store.faults._gate = None
        await trio.sleep(1)
        began = trio.current_time()
        assert (await players.increment(token, "k")).new_score == 1
        assert trio.current_time() - began < 5


async def test_a_score_that_nobody_waits_for_any_more_is_not_begun(autojump_clock: MockClock) -> None:
    """Its sender's patience counts, where that is less than the ledger's time; both end in the same moment."""
    async with running_players() as players:
        first, second = await players.token(), await players.token()
        players.office.store.faults.delay_s = 5
        players.office.nursery.start_soon(players.try_increment, first)
        await wait_all_tasks_blocked()
        with pytest.raises((AskTimeout, Unavailable)):
            await players.users.ask("a", Increment(second, None, HERE), within=1)
        await trio.sleep(30)
        assert players.office.totals["a"] == 1


@pytest.mark.parametrize("age_s", [30, -4])
async def test_a_score_counts_when_its_action_was_done(autojump_clock: MockClock, age_s: float) -> None:
    """By the token's time, unless that is of a clock ahead of this one."""
    async with running_players() as players:
        await players.increment(players.forged(age_s=age_s))
        [(written, _)] = players.office.store.ledger
        assert written.occurred_us == players.clock.now_us() - max(age_s, 0) * 1_000_000


async def test_a_spent_token_outlives_the_skew_of_clocks(autojump_clock: MockClock) -> None:
    """A server whose clock is behind still takes the token for good: its row must not have been purged by then."""
    async with running_players() as players:
        token = await players.token()
        await players.increment(token)
        await players.office.store.purge(before_us=(token.timestamp_ms + 60_000 + 4_000) * 1000)
        assert isinstance(await players.try_increment(token), TokenAlreadyUsed)


async def test_an_unknown_message_ends_the_incarnation(autojump_clock: MockClock) -> None:
    """It is a mistake of ours."""
    async with running_players() as players:
        players.users.tell("a", "nonsense")
        await wait_all_tasks_blocked()
        assert (await players.score()).new_score == 1
