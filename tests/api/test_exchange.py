from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked
from werkzeug.exceptions import HTTPException

from actors.ports import UserId
from scoreboard.ends import EndRate
from scoreboard.security.keys import KeyRing
from tests.api.wire import GONE, ask, part, receiver, scope_of
from tests.api.world import PASSWORD, World, running_world

JSON = (b"content-type", b"application/json")
REGISTER = json.dumps({"username": "Ada", "email": "ada@example.org", "password": PASSWORD}).encode()


def lines(world: World, event: str = "request") -> list[dict[str, Any]]:
    """The lines of the log that say this."""
    parsed = [json.loads(line) for line in world.log.getvalue().splitlines()]
    return [line for line in parsed if line["event"] == event]


def counted(world: World, name: str) -> dict[str, float]:
    """The samples of a metric, by their labels."""
    samples = re.findall(rf"^{name}\{{(.*)\}} (.*)$", world.given.metrics.render().decode(), re.MULTILINE)
    return {labels: float(value) for labels, value in samples}


# --- routes ---

PATHS = ("", "/", "/p1", "/p1/", "/p1/x", "//p1", "/p 1", "/p\n1", "/Zoë", "/{userId}", "/top")


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST"])
@pytest.mark.parametrize("start", ["/api/scores/user", "/api/v1/leaderboard/around", "/docs", "//api/scores/user", ""])
async def test_a_path_is_found_at_once_exactly_where_the_router_finds_it(world: World, method: str, start: str) -> None:
    """What varies in its last part is looked up by the rest; the router has the last word on what that means."""
    router = world.app.url_map.bind("scoreboard")
    expected = []
    for rest in PATHS:
        try:
            double = (start + rest).startswith("//")  # which is no other spelling of one slash
            expected.append("unmatched" if double else router.match(start + rest, method)[0])
        except HTTPException:
            expected.append("unmatched")
        await ask(world.app, method, start + rest)
    assert expected == [line["route"] for line in lines(world)]


# --- request ids ---


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/health", 200),
        ("HEAD", "/health", 200),
        ("OPTIONS", "/health", 204),
        ("GET", "/nothing", 404),
        ("DELETE", "/health", 405),
        ("POST", "/api/auth/register", 415),
        ("POST", "/api/actions/token", 401),
        ("GET", "/", 200),
        ("BREW", "/", 405),
    ],
)
async def test_every_answer_carries_a_request_id(world: World, method: str, path: str, status: int) -> None:
    """The good ones, the bad ones, and those without a body; each a fresh one."""
    first = await ask(world.app, method, path, messages=[part(b"x", last=True)])
    second = await ask(world.app, method, path, messages=[part(b"x", last=True)])
    assert (status, status) == (first.status, second.status)
    ids = {each.headers["x-request-id"] for each in (first, second)}
    assert 2 == len(ids)
    assert all(re.fullmatch("[0-9a-f]{16}", name) for name in ids)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (b"abc-123_X.y", True),
        (b"a" * 64, True),
        (b"a" * 65, False),
        (b"", False),
        (b"two words", False),
        (b'"><script>', False),
        (b"\xc3\xa9", False),
    ],
)
async def test_a_sane_id_of_the_client_is_kept(world: World, given: bytes, *, kept: bool) -> None:
    """On the answer and in the log; anything else is replaced."""
    sent = await ask(world.app, "GET", "/api/scores/top", headers=[(b"X-Request-Id", given)])
    assert kept == (given.decode("latin1") == sent.headers["x-request-id"])
    assert sent.headers["x-request-id"] == lines(world)[-1]["request_id"]


# --- methods and addresses ---


async def test_a_head_request_gets_the_head_of_the_answer_alone(world: World) -> None:
    """With the length that the body would have."""
    get, head = await ask(world.app, "GET", "/health"), await ask(world.app, "HEAD", "/health")
    assert (b"", get.headers["content-length"]) == (head.body, head.headers["content-length"])


async def test_the_methods_of_an_address_can_be_asked_for(world: World) -> None:
    """204 with Allow and without a body or its length."""
    sent = await ask(world.app, "OPTIONS", "/api/auth/login")
    assert (204, b"", "OPTIONS, POST") == (sent.status, sent.body, sent.headers["allow"])
    assert "content-length" not in sent.headers


async def test_a_wrong_method_is_told_which_ones_are_right(world: World) -> None:
    """405 with Allow, in the shape of all errors."""
    sent = await ask(world.app, "GET", "/api/auth/login")
    assert (405, "OPTIONS, POST") == (sent.status, sent.headers["allow"])
    assert ("METHOD_NOT_ALLOWED", "application/json") == (json.loads(sent.body)["code"], sent.headers["content-type"])


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/api/scores/top/",
        "/api//scores/top",
        "//api/scores/top",
        "///metrics",
        "/API/scores/top",
        "/web",
        "/\0",
    ],
)
async def test_an_unknown_address_is_not_found(world: World, path: str) -> None:
    """404 in the shape of all errors; no redirect, because an address has one spelling."""
    sent = await ask(world.app, "GET", path)
    told = json.loads(sent.body)
    assert (404, "NOT_FOUND", {"error", "message", "code"}) == (sent.status, told["code"], set(told))


# --- bodies ---


async def test_an_announced_body_that_is_too_large_is_refused_unread(world: World) -> None:
    """413 before a byte of it has come."""
    headers = [JSON, (b"content-length", b"16385")]
    sent = await ask(world.app, "POST", "/api/auth/register", headers=headers, messages=[])
    assert (413, "CONTENT_TOO_LARGE", "close") == (
        sent.status,
        json.loads(sent.body)["code"],
        sent.headers["connection"],
    )


async def test_a_body_without_a_length_is_refused_once_it_is_too_large(world: World) -> None:
    """413 after so many bytes; its end need never come."""
    pieces = [part(b" " * 1000) for _ in range(17)]
    sent = await ask(world.app, "POST", "/api/auth/register", headers=[JSON], messages=pieces)
    assert 413 == sent.status
    assert {} == world.players.rows


async def test_a_body_of_the_largest_size_in_many_pieces_is_read(world: World) -> None:
    """16 KiB of mostly blanks."""
    body = REGISTER + b" " * (16_384 - len(REGISTER))
    pieces = [part(body[at : at + 100]) for at in range(0, len(body), 100)]
    sent = await ask(world.app, "POST", "/api/auth/register", headers=[JSON], messages=[*pieces, part(b"", last=True)])
    assert 201 == sent.status


async def test_what_still_comes_of_a_refused_body_is_thrown_away(world: World) -> None:
    """A server whose queue of pieces is full cannot send our answer before somebody takes them out."""
    send_channel, receive_channel = trio.open_memory_channel[Any](1)
    answered = trio.Event()

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            for _ in range(50):
                await send_channel.send(part(b"x"))
            answered.set()

    scope = scope_of("POST", "/api/auth/register", headers=[(b"content-length", b"99999")])
    with trio.fail_after(5):
        await world.app(scope, receive_channel.receive, send)
    assert answered.is_set()


async def test_a_body_that_does_not_come_is_given_up(world: World, autojump_clock: MockClock) -> None:
    """408 after the bound for all of it, however its pieces trickle."""
    began = trio.current_time()

    async def receive() -> Any:
        await trio.sleep(3)
        return part(b" ")

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await world.app(scope_of("POST", "/api/auth/register", headers=[JSON]), receive, send)
    assert (408, 10.0) == (sent[0]["status"], trio.current_time() - began)


async def test_of_many_bodies_that_do_not_come_only_a_few_are_given_up_at_a_moment(
    world: World, autojump_clock: MockClock
) -> None:
    """Each answer costs; hundreds of them in one turn would keep everybody else waiting."""
    given_up_at = Counter[float]()

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            given_up_at[trio.current_time()] += 1

    async with trio.open_nursery() as nursery:
        for _ in range(100):
            scope = scope_of("POST", "/api/auth/register", headers=[JSON])
            nursery.start_soon(world.app, scope, trio.sleep_forever, send)
    assert 100 == given_up_at.total()
    assert max(given_up_at.values()) <= EndRate().burst


async def test_a_client_that_leaves_before_its_request_is_complete_changes_nothing(world: World) -> None:
    """Nothing is answered, and the log has a line with a status of its own."""
    messages = [part(REGISTER), GONE]
    sent = await ask(world.app, "POST", "/api/auth/register", headers=[JSON], messages=messages)
    assert ([], {}) == (sent.messages, world.players.rows)
    assert [499] == [line["status"] for line in lines(world)]


async def test_a_client_that_leaves_after_its_request_does_not_stop_it(ring: KeyRing) -> None:
    """What was asked for in full is done, whoever listens."""
    async with running_world(ring=ring) as world:
        gate = world.accounts.faults.hold()
        receive = receiver([part(REGISTER, last=True), GONE])

        async def send(message: Any) -> None:
            await trio.lowlevel.checkpoint()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(world.app, scope_of("POST", "/api/auth/register", headers=[JSON]), receive, send)
            await wait_all_tasks_blocked()
            gate.set()
        assert ["Ada"] == [row.username for row in world.players.rows.values()]


# --- log and metrics ---


async def test_each_request_is_one_line_of_the_log(world: World) -> None:
    """With what an operator looks for, and without secrets."""
    me = await world.signed_up("Ada")
    await world.post("/api/actions/token?x=secret", token=me.access)
    line = lines(world)[-1]
    assert ("POST", "/api/actions/token", "/api/actions/token", 400) == (
        line["method"],
        line["route"],
        line["path"],
        line["status"],
    )
    assert {"request_id", "duration_ms", "client", "user_id", "level", "timestamp"} < set(line)
    assert "info" == line["level"]
    for secret in (me.access, me.refresh, PASSWORD, "x=secret"):
        assert secret not in world.log.getvalue()


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics"])
async def test_probes_are_logged_at_debug(world: World, path: str) -> None:
    """They come all day long."""
    await world.get(path)
    assert ["debug"] == [line["level"] for line in lines(world)]


async def test_a_line_of_another_request_does_not_carry_this_one_s_id(world: World) -> None:
    """What is bound for a request is unbound with it."""
    await ask(world.app, "GET", "/health", headers=[(b"x-request-id", b"first")])
    world.given.logger.info("elsewhere")
    assert "request_id" not in lines(world, "elsewhere")[0]


async def test_durations_are_counted_by_route_and_never_by_address(world: World) -> None:
    """The pattern of the route; one label for all that no route wanted, and one for methods that do not exist."""
    for method, path in (("GET", "/api/scores/user/me"), ("GET", "/secret/1"), ("GET", "/secret/2"), ("BREW", "/x")):
        await ask(world.app, method, path)
    expected = {
        'method="GET",route="/api/scores/user/{userId}",status_code="404"': 1.0,
        'method="GET",route="unmatched",status_code="404"': 2.0,
        'method="other",route="unmatched",status_code="404"': 1.0,
    }
    assert expected == counted(world, "http_request_duration_seconds_count")


# --- what nobody expected ---


async def test_an_unexpected_failure_is_a_500_with_the_request_id(world: World) -> None:
    """In the shape of all errors, without a word of what went wrong; that stands in the log with its traceback."""
    world.health.error = RuntimeError("the secret reason")
    sent = await ask(world.app, "GET", "/ready", headers=[(b"x-request-id", b"my-id")])
    told = json.loads(sent.body)
    assert (500, "INTERNAL_ERROR", "Internal server error") == (sent.status, told["code"], told["error"])
    assert "my-id" in told["message"]
    assert b"secret" not in sent.body
    [line] = lines(world, "request_failed")
    assert ("my-id", "error") == (line["request_id"], line["level"])
    assert "RuntimeError: the secret reason" in line["exception"]
    assert 500 == lines(world)[-1]["status"]


async def test_a_group_of_failures_is_one_500(world: World) -> None:
    """Trio raises groups; one is answered like any other failure."""
    world.health.error = ExceptionGroup("two", [ValueError("a"), KeyError("b")])
    assert 500 == (await world.get("/ready")).status_code


async def test_two_servers_live_side_by_side(ring: KeyRing) -> None:
    """Nothing is shared: neither accounts nor sessions nor counts."""
    async with running_world(ring=ring) as one, running_world(ring=ring) as other:
        me = await one.signed_up("Ada")
        assert [] == list(other.players.rows)
        await one.post("/api/auth/logout", token=me.access)
        assert 401 == (await one.post("/api/actions/token", token=me.access)).status_code
        assert 200 == (await other.post("/api/actions/token", token=me.access)).status_code
        assert 1 == len(counted(other, "http_request_duration_seconds_count"))
        assert UserId(me.user_id) in one.players.rows
