from __future__ import annotations

import random
from collections.abc import Callable, Coroutine

import httpx
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from scoreboard.replay.accounts import Player, issue_token, sign_in
from scoreboard.replay.client import Api, checked_url
from scoreboard.replay.entries import Account
from scoreboard.replay.errors import InputError, ReplayError, ServerGone, ServerRefused
from scoreboard.replay.retry import LONGEST_OBEYED_S, LONGEST_PAUSE_S, Verdict, backoff_s, judge, limited_s

Handler = Callable[[httpx.Request], httpx.Response] | Callable[[httpx.Request], Coroutine[None, None, httpx.Response]]
ACCOUNT = Account("Arsenal", "arsenal@replay.example", "secret")


def api_for(handler: Handler, patience_s: float = 60.0) -> Api:
    """A client whose server is a function."""
    http = httpx.AsyncClient(base_url="http://server.example", transport=httpx.MockTransport(handler))
    return Api(http, 4, patience_s, lambda _: None, random.Random(1))


def in_turn(*responses: httpx.Response | Exception) -> Callable[[httpx.Request], httpx.Response]:
    """A server that gives these answers, one a request."""
    rest = iter(responses)

    def handle(request: httpx.Request) -> httpx.Response:
        response = next(rest)
        if isinstance(response, Exception):
            raise response
        return response

    return handle


@given(st.integers(1, 10_000), st.integers())
def test_a_pause_is_jittered_doubles_and_is_capped(failures: int, seed: int) -> None:
    """Many clients that lost the same server do not come back at the same moment, nor wait for ever."""
    full = min(LONGEST_PAUSE_S, 0.1 * 2 ** min(failures - 1, 20))

    assert full / 2 <= backoff_s(failures, random.Random(seed)) <= full


@pytest.mark.parametrize(
    ("body", "header", "pause_s"),
    [
        ({"retryAfter": 45}, "7", 45.0),
        ({"retryAfter": 0}, "7", 0.0),
        ({}, "7", 7.0),
        ({"retryAfter": "soon"}, "Wed, 21 Oct 2026 07:28:00 GMT", 1.0),
        ({"retryAfter": True}, None, 1.0),
        ({"retryAfter": -5}, "nan", 1.0),
        ({"retryAfter": 10**400}, None, LONGEST_OBEYED_S),
        ({"retryAfter": float("inf")}, "-1", 1.0),
    ],
)
def test_a_limit_is_obeyed_as_the_server_says_within_reason(
    body: dict[str, object], header: str | None, pause_s: float
) -> None:
    """The body first, then the header, then a second; never longer than the bound."""
    assert pause_s < limited_s(body, header, random.Random(1)) <= pause_s + 0.1


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, Verdict.ANSWERED),
        (400, Verdict.ANSWERED),
        (401, Verdict.ANSWERED),
        (408, Verdict.AGAIN),
        (425, Verdict.AGAIN),
        (429, Verdict.LIMITED),
        (500, Verdict.AGAIN),
        (503, Verdict.AGAIN),
    ],
)
def test_a_status_says_whether_the_answer_stands(status: int, verdict: Verdict) -> None:
    """Faults of the server and limits pass; everything else is an answer."""
    assert judge(status) is verdict


async def test_a_request_is_repeated_until_it_is_answered(autojump_clock: trio.testing.MockClock) -> None:
    """Broken connections, faults and limits on the way to one good answer."""
    api = api_for(
        in_turn(
            httpx.ConnectError("refused"),
            httpx.RemoteProtocolError("closed"),
            httpx.Response(503),
            httpx.Response(429, json={"retryAfter": 3}),
            httpx.Response(500, json={"error": "?"}),
            httpx.Response(200, json={"score": 3}),
        )
    )

    assert (await api.get("/api/scores/user/1")).number("score") == 3
    assert trio.current_time() > 3.0


async def test_a_server_that_never_answers_is_given_up_at_the_deadline(autojump_clock: trio.testing.MockClock) -> None:
    """Every request has a time-out, also when a transport has none."""

    async def sleep_for_ever(request: httpx.Request) -> httpx.Response:
        await trio.sleep_forever()
        raise AssertionError

    api = api_for(sleep_for_ever, patience_s=45.0)
    with pytest.raises(ServerGone, match="nothing within 20 s"):
        await api.get("/api/scores/top")

    assert 45.0 < trio.current_time() < 85.0


async def test_no_more_requests_are_under_way_than_allowed(autojump_clock: trio.testing.MockClock) -> None:
    """The bound holds whoever asks."""
    under_way, most = 0, 0

    async def count(request: httpx.Request) -> httpx.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await trio.sleep(1)
        under_way -= 1
        return httpx.Response(200, json={})

    api = api_for(count)
    async with trio.open_nursery() as nursery:
        for _ in range(20):
            nursery.start_soon(api.get, "/health")

    assert most == 4


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[1]),
        httpx.Response(301, headers={"Location": "https://elsewhere.example"}),
        httpx.Response(200, json={"accessToken": 5, "refreshToken": "r", "userId": "u"}),
        httpx.Response(200, json={"accessToken": "not.a-jwt", "refreshToken": "r"}),
        httpx.Response(200, json={"accessToken": "a", "userId": "u"}),
    ],
)
async def test_an_answer_of_something_else_is_named_as_such(response: httpx.Response) -> None:
    """Another program behind the address is a sentence, not a traceback."""
    with pytest.raises(ReplayError, match=r"POST http://server.example/api/auth/login|cannot sign in"):
        await sign_in(api_for(in_turn(response)), ACCOUNT)


async def test_a_login_without_a_user_id_is_understood_by_its_token() -> None:
    """The documented answer to a login names the player only inside the access token."""
    access = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1c2VyXzEifQ.c2ln"
    player = await sign_in(
        api_for(in_turn(httpx.Response(200, json={"accessToken": access, "refreshToken": "r"}))), ACCOUNT
    )

    assert player.user_id == "user_1"


async def test_an_expired_access_token_is_renewed_by_the_refresh_token() -> None:
    """The request goes on with the new one."""
    seen: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(f"{request.url.path} {request.headers.get('Authorization', '-')}")
        if request.url.path == "/api/auth/refresh":
            return httpx.Response(200, json={"accessToken": "new", "refreshToken": "r2"})
        if request.headers["Authorization"] == "Bearer old":
            return httpx.Response(401, json={"code": "TOKEN_EXPIRED"})
        return httpx.Response(200, json={"actionToken": {"nonce": "1"}})

    player = Player(ACCOUNT, "user_1", "old", "r1")
    assert await issue_token(api_for(handle), player) == {"nonce": "1"}
    assert seen == ["/api/actions/token Bearer old", "/api/auth/refresh -", "/api/actions/token Bearer new"]
    assert player.refresh == "r2"


async def test_a_server_that_accepts_none_of_its_tokens_is_not_asked_for_ever() -> None:
    """Signing in again and again is bounded."""

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/auth/refresh":
            return httpx.Response(200, json={"accessToken": "new", "refreshToken": "r2"})
        return httpx.Response(401, json={"code": "UNAUTHORIZED"})

    with pytest.raises(ServerRefused, match="does not accept access tokens that it just gave to 'Arsenal'"):
        await issue_token(api_for(handle), Player(ACCOUNT, "user_1", "old", "r1"))


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/", " https://scores.example/live ", "http://[::1]:8000"])
def test_an_address_of_a_server_is_taken_without_its_last_slash(url: str) -> None:
    """Two ways to write an address are one server for the journal."""
    assert checked_url(url) == url.strip().rstrip("/")


@pytest.mark.parametrize(
    "url", ["", "localhost:8000", "ftp://x", "http://", "http://x:99999", "http://x/?a=1", "http://x:0"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    """Found out before anything is tried."""
    with pytest.raises(InputError, match="write it like"):
        checked_url(url)
