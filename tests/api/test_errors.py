from __future__ import annotations

import json
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from actors.leaderboard.messages import NotRanked
from actors.ledger.asker import PAUSES_S
from actors.ledger.messages import LedgerUnavailable
from actors.ports import StoreUnavailable
from actors.runtime import ActorCrashed, ActorStopped, AskTimeout, MailboxFull, Refusal, TooManyActors
from actors.user import refusals
from scoreboard.api import errors
from scoreboard.security import errors as security
from scoreboard.security.keys import KeyRing
from tests.api.world import PASSWORD, World, running_world


class Odd(Refusal):
    """A refusal that nobody told the table of."""

    code = "ODD"


TABLE: list[tuple[Exception, int, str, str, str | None]] = [
    (refusals.TokenExpired("x"), 400, "Invalid token", "TOKEN_EXPIRED", None),
    (refusals.TokenAlreadyUsed("x"), 400, "Invalid token", "TOKEN_ALREADY_USED", None),
    (refusals.TokenInvalid("x"), 400, "Invalid token", "TOKEN_INVALID", None),
    (refusals.RateLimited("x", retry_after_s=44.1), 429, "Rate limit exceeded", "RATE_LIMITED", "45"),
    (refusals.RateLimited("x", retry_after_s=0.0), 429, "Rate limit exceeded", "RATE_LIMITED", "1"),
    (refusals.KeyReused("x"), 422, "Idempotency key reused", "IDEMPOTENCY_KEY_REUSED", None),
    (refusals.UserBanned("x"), 403, "Forbidden", "USER_BANNED", None),
    (refusals.UserNotFound("x"), 404, "Not found", "USER_NOT_FOUND", None),
    (NotRanked("x"), 404, "Not found", "USER_NOT_FOUND", None),
    (refusals.Unavailable("x"), 503, "Service unavailable", "SERVICE_UNAVAILABLE", "1"),
    (refusals.Unavailable("x", retry_after_s=7), 503, "Service unavailable", "SERVICE_UNAVAILABLE", "7"),
    (LedgerUnavailable("x"), 503, "Service unavailable", "SERVICE_UNAVAILABLE", "1"),
    (MailboxFull("x"), 503, "Service unavailable", "SERVICE_UNAVAILABLE", "1"),
    (TooManyActors("x"), 503, "Service unavailable", "SERVICE_UNAVAILABLE", "1"),
    (AskTimeout("x"), 503, "Service unavailable", "SERVICE_UNAVAILABLE", "1"),
    (ActorStopped("x"), 503, "Service unavailable", "SERVICE_UNAVAILABLE", "1"),
    (ActorCrashed("x", begun=True), 503, "Service unavailable", "SERVICE_UNAVAILABLE", "1"),
    (security.HashingBusy(3), 503, "Service unavailable", "SERVICE_UNAVAILABLE", "3"),
    (security.TokenExpired(), 401, "Unauthorized", "ACCESS_TOKEN_EXPIRED", None),
    (security.TokenRevoked(), 401, "Unauthorized", "ACCESS_TOKEN_REVOKED", None),
    (security.TokenInvalid("why"), 401, "Unauthorized", "ACCESS_TOKEN_INVALID", None),
    (security.NameRefused("username", "x"), 400, "Invalid input", "INVALID_INPUT", None),
    (security.PasswordRefused("x"), 400, "Invalid input", "INVALID_INPUT", None),
    (errors.not_found(), 404, "Not found", "NOT_FOUND", None),
]


@pytest.mark.parametrize(("error", "status", "title", "code", "retry"), TABLE, ids=range(len(TABLE)))
def test_each_error_has_its_answer(error: Exception, status: int, title: str, code: str, retry: str | None) -> None:
    """Status, title and code; the wait in whole seconds, rounded up, in body and header alike."""
    found = errors.known(error)
    assert found is not None
    answer = found.answer()
    told = json.loads(answer.body)
    headers = {name.decode(): value.decode() for name, value in answer.headers}
    assert (status, title, code) == (answer.status, told["error"], told["code"])
    assert (retry, None if retry is None else int(retry)) == (headers.get("retry-after"), told.get("retryAfter"))
    assert {"error", "message", "code"} == set(told) - {"retryAfter"}
    assert (status == 401) == ("www-authenticate" in headers)


def test_every_refusal_of_a_player_is_in_the_table() -> None:
    """A new one must be given a status before it can be raised."""
    codes = {kind.code for kind in vars(refusals).values() if isinstance(kind, type) and issubclass(kind, Refusal)}
    assert codes - {"REFUSED"} <= set(errors.REFUSALS)


@pytest.mark.parametrize("error", [ValueError("x"), Odd("x"), StoreUnavailable("x"), ExceptionGroup("x", [OSError()])])
def test_what_is_not_in_the_table_is_not_known(error: Exception) -> None:
    """It becomes a 500 with a traceback in the log, so that somebody looks at it."""
    assert errors.known(error) is None


def test_the_reason_why_a_token_is_invalid_is_not_told() -> None:
    """It is for the log."""
    found = errors.known(security.TokenInvalid("the signature is off by one"))
    assert found is not None
    assert "signature" not in str(found.answer())


@pytest.mark.parametrize(
    ("error", "done"),
    [
        (MailboxFull("x"), False),
        (TooManyActors("x"), False),
        (ActorStopped("x"), False),
        (ActorStopped("x", begun=True), True),
        (ActorCrashed("x", begun=False), False),
        (ActorCrashed("x", begun=True), True),
        (AskTimeout("x"), True),
    ],
)
def test_a_failure_says_whether_something_may_have_been_done(error: Exception, *, done: bool) -> None:
    """Who knows that nothing was done may go elsewhere; who does not must ask the same again."""
    assert done == ("may have been done" in str(errors.known(error)))


async def test_a_store_that_is_away_is_a_503(world: World) -> None:
    """For accounts and for scores; afterwards the same request works."""
    me = await world.signed_up("Ada")
    token = await world.action_token(me)
    world.accounts.faults.fail_before(StoreUnavailable())
    world.scores.faults.fail_before(StoreUnavailable())
    login = await world.post("/api/auth/login", {"username": "Ada", "password": PASSWORD})
    score = await world.increment(me, token, "k")
    for response in (login, score):
        told = await response.get_json()
        assert (503, "SERVICE_UNAVAILABLE", 1) == (response.status_code, told["code"], told["retryAfter"])
    assert 200 == (await world.increment(me, token, "k")).status_code


async def test_a_store_that_hangs_is_a_503_in_time(ring: KeyRing, autojump_clock: MockClock) -> None:
    """An asker is never left waiting, and what it asked for may still come to be."""
    async with running_world(ring=ring, read_within_s=5.0) as world:
        world.accounts.faults.hold()
        began = trio.current_time()
        response = await world.post("/api/auth/login", {"username": "Ada", "password": PASSWORD})
        assert (503, 5.0) == (response.status_code, trio.current_time() - began)


async def test_a_failing_actor_is_a_503_and_the_next_request_works(world: World) -> None:
    """The crash ends one incarnation, not the service."""
    me = await world.signed_up("Ada")
    world.accounts.faults.fail_before(RuntimeError("bug"))
    response = await world.post("/api/auth/login", {"username": "Ada", "password": PASSWORD})
    assert 503 == response.status_code
    assert b"bug" not in await response.get_data(as_text=False)
    assert 200 == (await world.post("/api/auth/refresh", {"refreshToken": me.refresh})).status_code


async def test_too_many_sign_ins_at_once_are_asked_to_come_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 with the time to wait, and nobody is told that a password is wrong which was never compared."""

    async def busy(*_: Any, by: Any) -> bool:
        raise security.HashingBusy(4)

    monkeypatch.setattr(type(world.given.passwords), "verify", busy)
    response = await world.post("/api/auth/login", {"username": "Ada", "password": PASSWORD})
    assert (503, "4") == (response.status_code, response.headers["Retry-After"])


async def test_the_end_of_a_session_that_could_not_be_stored_can_be_asked_for_again(world: World) -> None:
    """The access token works until the store knows that the session has ended."""
    me = await world.signed_up("Ada")
    world.accounts.faults.fail_before(*[StoreUnavailable() for _ in range(len(PAUSES_S) + 1)])
    assert 503 == (await world.post("/api/auth/logout", token=me.access)).status_code
    assert 200 == (await world.post("/api/auth/logout", token=me.access)).status_code
