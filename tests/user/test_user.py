from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.ledger.history import History
from actors.ports import Quota, StoreUnavailable, UserId
from actors.runtime import Refusal
from actors.user.actor import MOST_UNDER_WAY
from actors.user.answers import REMEMBERED
from actors.user.messages import Complete, Increment, IssueToken, Proof, ScoreAnswer
from actors.user.refusals import (
    CaptchaRequired,
    KeyReused,
    RateLimited,
    TokenAlreadyUsed,
    TokenExpired,
    TokenInvalid,
    TokenRotatedOut,
    Unavailable,
    UserBanned,
    UserNotFound,
)
from actors.user.world import UserRules
from tests.user.player import HERE, STRICT, many, refused_as, running_players


async def test_a_token_is_told_with_its_end(autojump_clock: MockClock) -> None:
    """In milliseconds since 1970, and in seconds from now."""
    async with running_players() as players:
        issued = await players.users.ask("a", IssueToken(), within=5)
        now_ms = players.clock.now_us() // 1000
        assert (issued.token.user_id, issued.token.timestamp_ms) == ("a", now_ms)
        assert (issued.expires_at_ms, issued.expires_in_s) == (now_ms + 60_000, 60)


async def test_each_token_counts_one_point(autojump_clock: MockClock) -> None:
    """The answer tells the new score and both ranks."""
    async with running_players() as players:
        assert await players.increment(await players.token("b"), name="b") == ScoreAnswer(1, 2, 1)
        assert await players.score() == ScoreAnswer(1, 2, 2)
        assert await players.score() == ScoreAnswer(2, 2, 1)


async def test_one_token_a_hundred_times_at_once_is_one_point(autojump_clock: MockClock) -> None:
    """The others hear that it has been used."""
    async with running_players() as players:
        results = await many(100, players, await players.token())
        assert Counter(type(result) for result in results) == {ScoreAnswer: 1, TokenAlreadyUsed: 99}
        assert players.office.totals["a"] == 1


async def test_one_keyed_request_a_hundred_times_at_once_is_one_point(autojump_clock: MockClock) -> None:
    """All hear the first answer."""
    async with running_players() as players:
        results = await many(100, players, await players.token(), "k")
        assert {(answer.new_score, answer.previous_rank, answer.new_rank) for answer in results} == {(1, 1, 1)}  # type: ignore[attr-defined]
        assert Counter(answer.repeated for answer in results) == {False: 1, True: 99}  # type: ignore[attr-defined]
        assert players.office.totals["a"] == 1


async def test_what_the_token_itself_tells_is_refused(autojump_clock: MockClock) -> None:
    """Expired, forged, under a key that was rotated out, or of somebody else; nothing has reached the ledger."""
    async with running_players() as players:
        await refused_as(TokenRotatedOut, players.increment(players.forged(key=b"oldest key")))
        await refused_as(TokenExpired, players.increment(players.forged(age_s=60)))
        await refused_as(TokenInvalid, players.increment(players.forged(key=b"foreign")))
        await refused_as(TokenInvalid, players.increment(players.forged("b")))
        await refused_as(TokenInvalid, players.increment(players.forged(age_s=-6)))
        assert players.office.store.faults.calls == 0
        assert (await players.increment(players.forged(key=b"old key"))).new_score == 1


@pytest.mark.parametrize("key", [None, "k"])
async def test_text_that_cannot_be_a_token_is_refused_and_crashes_nothing(
    autojump_clock: MockClock, key: str | None
) -> None:
    """And the attempts are counted."""
    async with running_players(STRICT) as players:
        good = await players.token()
        for bad in (
            replace(good, signature="é" * 64),
            replace(good, nonce="\ud800"),
            replace(good, timestamp_ms=10**5000),
        ):
            await refused_as(TokenInvalid, players.increment(bad, key))
        for _ in range(2):
            await players.try_increment(replace(good, signature="é"), key)
        await refused_as(RateLimited, players.increment(replace(good, signature="é"), key))


async def test_what_only_the_store_knows_is_refused(autojump_clock: MockClock) -> None:
    """Used, banned, gone."""
    async with running_players() as players:
        token = await players.token()
        await players.increment(token)
        await refused_as(TokenAlreadyUsed, players.increment(token))
        players.office.player("a").banned = True
        await refused_as(UserBanned, players.increment(await players.token()))
        await refused_as(UserNotFound, players.increment(await players.token("ghost"), name="ghost"))
        assert players.office.totals == {"a": 1, "b": 0}


# --- idempotency ---


async def test_a_retry_hears_the_first_answer_from_memory(autojump_clock: MockClock) -> None:
    """Marked as repeated; the store is not asked."""
    async with running_players() as players:
        token = await players.token()
        first = await players.increment(token, "k")
        calls = players.office.store.faults.calls
        assert await players.increment(token, "k") == replace(first, repeated=True)
        assert players.office.store.faults.calls == calls


async def test_a_retry_hears_the_first_answer_from_the_ledger(autojump_clock: MockClock) -> None:
    """When the actor has been passivated meanwhile, or remembers only newer ones."""
    async with running_players(idle_after_s=10) as players:
        token = await players.token()
        first = await players.increment(token, "k")
        await trio.sleep(30)
        assert players.users.live == 0
        assert await players.increment(token, "k") == replace(first, repeated=True)
        for number in range(REMEMBERED):
            await players.score(f"{number}")
        assert await players.increment(token, "k") == replace(first, repeated=True)
        assert players.office.totals["a"] == 1 + REMEMBERED


async def test_a_retry_of_what_the_store_has_lost_counts_anew(autojump_clock: MockClock) -> None:
    """Its first answer is forgotten as soon as the store is known to have another history; what it kept is not."""
    history = History()
    history.enter("1", trio.current_time())
    async with running_players(history=history) as players:
        kept, lost = await players.token(), await players.token()
        first = await players.increment(kept, "k")
        replica = players.office.store.replica()
        second = await players.increment(lost, "l")
        players.office.store.promote(replica)
        assert await players.increment(lost, "l") == replace(second, repeated=True)
        history.enter("2", trio.current_time())
        assert not (await players.increment(lost, "l")).repeated
        assert await players.increment(kept, "k") == replace(first, repeated=True)
        assert {"a": 2, "b": 0} == players.office.totals


async def test_the_last_answers_are_those_that_are_remembered(autojump_clock: MockClock) -> None:
    """However many came before."""
    async with running_players() as players:
        for number in range(REMEMBERED):
            await players.score(f"{number}")
        tokens = [await players.token() for _ in range(REMEMBERED)]
        first = [await players.increment(token, f"k{number}") for number, token in enumerate(tokens)]
        calls = players.office.store.faults.calls
        again = [await players.increment(token, f"k{number}") for number, token in enumerate(tokens)]
        assert again == [replace(answer, repeated=True) for answer in first]
        assert players.office.store.faults.calls == calls


async def test_a_retry_hears_the_first_answer_after_its_token_has_expired(autojump_clock: MockClock) -> None:
    """From memory and from the ledger."""
    async with running_players(idle_after_s=1000) as players:
        token = await players.token()
        first = await players.increment(token, "k")
        await trio.sleep(300)
        assert await players.increment(token, "k") == replace(first, repeated=True)
        await trio.sleep(5000)
        assert players.users.live == 0
        assert await players.increment(token, "k") == replace(first, repeated=True)


async def test_a_retry_hears_the_first_answer_over_the_limit(autojump_clock: MockClock) -> None:
    """A repeated answer uses nothing up."""
    async with running_players(STRICT) as players:
        token = await players.token()
        first = await players.increment(token, "k")
        for _ in range(4):
            await players.score()
        await refused_as(RateLimited, players.score())
        assert await players.increment(token, "k") == replace(first, repeated=True)


@pytest.mark.parametrize("remembered", [True, False])
async def test_a_key_with_another_token_is_refused(autojump_clock: MockClock, *, remembered: bool) -> None:
    """Whether this actor remembers the key or only the ledger does; nothing is counted."""
    async with running_players(idle_after_s=10) as players:
        await players.score("k")
        if not remembered:
            await trio.sleep(30)
        await refused_as(KeyReused, players.score("k"))
        assert players.office.totals["a"] == 1


async def test_a_key_with_another_signature_is_another_request(autojump_clock: MockClock) -> None:
    """A forged copy of a good token does not hear the good one's answer."""
    async with running_players() as players:
        token = await players.token()
        await players.increment(token, "k")
        await refused_as(KeyReused, players.increment(replace(token, signature="0" * 64), "k"))


async def test_two_players_may_use_the_same_key(autojump_clock: MockClock) -> None:
    """A key belongs to its player."""
    async with running_players() as players:
        await players.score("k")
        assert not (await players.increment(await players.token("b"), "k", "b")).repeated


async def test_an_expired_token_with_an_unknown_key_is_refused(autojump_clock: MockClock) -> None:
    """The ledger has been asked."""
    async with running_players() as players:
        await refused_as(TokenExpired, players.increment(players.forged(age_s=100), "k"))
        assert players.office.store.faults.calls == 1


# --- many at once ---


async def test_what_comes_while_a_score_is_on_its_way_shares_the_next_transaction(autojump_clock: MockClock) -> None:
    """A player's increments do not wait for one another; they count in the order in which they came."""
    async with running_players() as players:
        players.office.store.faults.delay_s = 1
        scores: list[object] = []
        for _ in range(5):
            wish = Increment(await players.token(), None, HERE)
            told = players.users.promise("a", wish, within=30, settled=lambda each: scores.append(each.outcome))
            assert told.open
            await wait_all_tasks_blocked()
        await trio.sleep(3)
        assert [score.new_score for score in scores if isinstance(score, ScoreAnswer)] == [1, 2, 3, 4, 5]
        assert players.office.done == [1, 4]


async def test_a_token_is_issued_while_a_score_is_on_its_way(autojump_clock: MockClock) -> None:
    """Nothing needs to be known for that."""
    async with running_players() as players:
        token = await players.token()
        players.office.store.faults.delay_s = 5
        async with trio.open_nursery() as nursery:
            nursery.start_soon(players.try_increment, token)
            await wait_all_tasks_blocked()
            await players.token()
            assert trio.current_time() == 0


async def test_a_key_that_is_on_its_way_waits_until_the_first_is_known(autojump_clock: MockClock) -> None:
    """So the store is asked once for all who send it, and another token with it is refused; others pass."""
    async with running_players() as players:
        token, other = await players.token(), await players.token()
        players.office.store.faults.delay_s = 1
        async with trio.open_nursery() as nursery:
            for each, key in ((token, "k"), (token, "k"), (other, "k"), (other, None)):
                nursery.start_soon(players.try_increment, each, key)
                await wait_all_tasks_blocked()
        kinds = Counter(type(result) for result in players.results)
        assert kinds == {ScoreAnswer: 3, KeyReused: 1}
        scores = [result.new_score for result in players.results if isinstance(result, ScoreAnswer)]
        assert sorted(scores) == [1, 1, 2]


async def test_who_waits_behind_a_key_counts_once_when_the_first_fails(autojump_clock: MockClock) -> None:
    """It is decided as if it had come then."""
    async with running_players() as players:
        token = await players.token()
        players.office.store.faults.fail_before(StoreUnavailable("away"))
        results = await many(3, players, token, "k")
        assert Counter(type(result) for result in results) == {Unavailable: 1, ScoreAnswer: 2}
        assert players.office.totals["a"] == 1


async def test_no_more_of_a_player_is_under_way_than_may_be(autojump_clock: MockClock) -> None:
    """One more is told so, whatever it waits for, and none of that is done."""
    async with running_players() as players:
        players.office.store.faults.delay_s = 1
        for key in ("k", None):
            async with trio.open_nursery() as nursery:
                token = await players.token()
                for _ in range(MOST_UNDER_WAY):
                    nursery.start_soon(players.try_increment, token, key)
                await wait_all_tasks_blocked()
                for one_more in (key, "other"):
                    refusal = await refused_as(Unavailable, players.increment(players.forged(), one_more))
                    assert "Nothing was done" in str(refusal)
        assert players.office.totals["a"] == 2


# --- limits ---


async def test_the_sixth_increment_of_a_minute_is_refused_with_the_time_to_wait(autojump_clock: MockClock) -> None:
    """And its token is not spent."""
    async with running_players(STRICT) as players:
        for _ in range(5):
            await players.score()
        await trio.sleep(15)
        token = await players.token()
        refusal = await refused_as(RateLimited, players.increment(token))
        assert isinstance(refusal, RateLimited)
        assert refusal.retry_after_s == pytest.approx(45)
        await trio.sleep(45)
        assert (await players.increment(token)).new_score == 6


async def test_the_eleventh_token_of_a_minute_is_refused(autojump_clock: MockClock) -> None:
    """The text tells the limit."""
    async with running_players(STRICT) as players:
        for _ in range(10):
            await players.token()
        refusal = await refused_as(RateLimited, players.token())
        assert str(refusal) == "Maximum 10 token requests per minute"


async def test_bad_tokens_count_against_the_limit(autojump_clock: MockClock) -> None:
    """So nobody can try out signatures at leisure."""
    async with running_players(STRICT) as players:
        for _ in range(5):
            await refused_as(TokenInvalid, players.increment(players.forged(key=b"guess")))
        await refused_as(RateLimited, players.score())


async def test_over_the_limit_invented_keys_cost_the_database_nothing(autojump_clock: MockClock) -> None:
    """Only memory is asked."""
    async with running_players(STRICT) as players:
        for number in range(20):
            await players.try_increment(players.forged(age_s=100), f"{number}")
        assert players.office.store.faults.calls == 5


async def test_a_player_who_was_forgotten_has_used_what_it_used(autojump_clock: MockClock) -> None:
    """Otherwise waiting for the passivation would reset the limit."""
    rules = UserRules(tokens=None, increments=Quota(1, period_s=600))
    async with running_players(rules, idle_after_s=10) as players:
        await players.score()
        await trio.sleep(300)
        assert players.users.live == 0
        await refused_as(RateLimited, players.increment(players.forged()))
        await trio.sleep(300)
        assert (await players.score()).new_score == 2


async def test_who_is_challenged_shows_to_be_a_person_first(autojump_clock: MockClock) -> None:
    """For a token, and for one for a proof; tokens that it has are good, and no limit counts what is refused."""
    challenged = set[UserId]()
    async with running_players(STRICT, challenged=challenged.__contains__) as players:
        token = await players.token()
        challenged.add(UserId("a"))
        for _ in range(20):
            await refused_as(CaptchaRequired, players.users.ask("a", IssueToken(), within=5))
        proof = Proof("2026-01-31T12:00:00Z", players.clock.now_us(), "00")
        wish = Complete("WIN_GAME", "0a0a0a0a-0000-4000-8000-000000000000", proof, HERE)
        await refused_as(CaptchaRequired, players.users.ask("a", wish, within=5))
        with pytest.raises(Refusal) as other:
            await players.users.ask("a", replace(wish, person=True), within=5)
        assert not isinstance(other.value, CaptchaRequired)
        assert 1 == (await players.increment(token)).new_score
        given = await players.users.ask("a", IssueToken(person=True), within=5)
        assert ["a", "b"] == [given.token.user_id, (await players.token("b")).user_id]


async def test_a_step_of_the_clock_opens_no_window(autojump_clock: MockClock) -> None:
    """Neither a step forward nor one back: who waits as told is let in."""
    async with running_players(STRICT) as players:
        for _ in range(10):
            await players.token()
        for ahead_s in (86_400, -86_400):
            players.clock.ahead_s = ahead_s
            refusal = await refused_as(RateLimited, players.token())
            assert isinstance(refusal, RateLimited)
            assert refusal.retry_after_s == pytest.approx(60)
        await trio.sleep(60)
        await players.token()
