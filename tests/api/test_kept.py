"""Keys of requests that may be served twice, but are to be answered once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio
from quart import Response
from trio.testing import MockClock

from tests.api.v1 import ACTION, OTHER_ACTION, Signed, code_of, proof_of, sign_up
from tests.api.world import World

Ask = Callable[[World, Signed, str | None], Awaitable[Response]]


def keyed(key: str | None) -> dict[str, str]:
    """The header."""
    return {} if key is None else {"Idempotency-Key": key}


async def token(world: World, me: Signed, key: str | None) -> Response:
    """Document A's action token."""
    return await world.post("/api/actions/token", token=me.access, headers=keyed(key))


async def ticket(world: World, me: Signed, key: str | None) -> Response:
    """A ticket for the live feed."""
    return await world.post("/api/v1/live/ticket", token=me.access, headers=keyed(key))


async def complete(world: World, me: Signed, key: str | None, action_id: str = ACTION) -> Response:
    """Document B's action token."""
    proof = proof_of(world, me, action_id=action_id)
    body = {"actionId": action_id, "proof": proof, "timestamp": proof["timestamp"]}
    return await world.post("/api/v1/actions/complete", body, token=me.access, headers=keyed(key))


async def patch(world: World, me: Signed, key: str | None, country: str = "GB") -> Response:
    """Another country."""
    headers = {"Authorization": f"Bearer {me.access}", **keyed(key)}
    return await world.app.test_client().patch("/api/v1/users/me", json={"country": country}, headers=headers)


ALL: list[Ask] = [token, ticket, complete, patch]


async def said(response: Response) -> tuple[int, Any, str | None]:
    """Status, body and whether it was said before."""
    return response.status_code, await response.get_json(), response.headers.get("Idempotency-Replayed")


@pytest.mark.parametrize("ask", ALL)
async def test_the_same_request_with_its_key_hears_the_same(world: World, ask: Ask) -> None:
    """Marked as a repetition; without a key, with another one, or as another player, one hears one's own."""
    me, other = await sign_up(world), await sign_up(world, "Bob")
    status, first, replayed = await said(await ask(world, me, "key"))
    assert (200, None) == (status, replayed)
    assert (200, first, "true") == await said(await ask(world, me, "key"))
    for again in (ask(world, me, None), ask(world, me, "another"), ask(world, other, "key")):
        assert (200, None) == (await said(await again))[::2]


async def test_a_key_belongs_to_its_address(world: World) -> None:
    """The same key elsewhere is another one."""
    me = await sign_up(world)
    for ask in ALL:
        assert None is (await said(await ask(world, me, "key")))[2], ask


async def test_a_key_with_another_body_is_refused(world: World) -> None:
    """And nothing of it is done."""
    me = await sign_up(world)
    await patch(world, me, "key", "GB")
    await complete(world, me, "key", ACTION)
    before = world.state()
    refused = (422, "IDEMPOTENCY_KEY_REUSED", None)
    assert refused == await code_of(await patch(world, me, "key", "US"))
    assert refused == await code_of(await complete(world, me, "key", OTHER_ACTION))
    assert before == world.state()


async def test_a_late_repetition_does_not_undo_what_came_after_it(world: World) -> None:
    """It hears what was answered then."""
    me = await sign_up(world)
    first = (await said(await patch(world, me, "key", "GB")))[1]
    await patch(world, me, None, "US")
    assert first == (await said(await patch(world, me, "key", "GB")))[1]
    assert "US" == (await (await world.get(f"/api/v1/users/{me.user_id}")).get_json())["data"]["country"]


@pytest.mark.parametrize("ask", ALL)
async def test_what_comes_while_the_first_is_served_hears_the_same(world: World, ask: Ask) -> None:
    """All of one answer."""
    me = await sign_up(world)
    heard: list[Any] = []

    async def one() -> None:
        heard.append((await said(await ask(world, me, "key")))[1])

    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(one)
    assert [heard[0]] * 5 == heard


@pytest.mark.parametrize("ask", ALL)
async def test_an_answer_of_another_worker_is_told(world: World, ask: Ask) -> None:
    """Also if both have served the request: what is kept first is the answer."""
    me = await sign_up(world)
    first = (await said(await ask(world, me, "key")))[1]
    world.kept.blind = True
    assert first == (await said(await ask(world, me, "key")))[1]


async def test_a_repetition_does_not_count_against_a_limit(world: World) -> None:
    """It asks for nothing new."""
    me = await sign_up(world)
    assert {200} == {(await token(world, me, "key")).status_code for _ in range(30)}


async def test_repetitions_of_what_is_being_served_count_as_one(world: World) -> None:
    """They wait for the first and ask for nothing themselves: of ten tokens a minute nine are left."""
    me = await sign_up(world)
    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(token, world, me, "key")
    assert [200] * 9 + [429] == [(await token(world, me, str(number))).status_code for number in range(10)]


async def test_an_error_is_not_kept(walking_clock: MockClock, world: World) -> None:
    """The request is served when it comes again and can be."""
    me = await sign_up(world)
    for number in range(10):
        await token(world, me, str(number))
    assert 429 == (await token(world, me, "key")).status_code
    walking_clock.jump(61)
    assert (200, None) == (await said(await token(world, me, "key")))[::2]


@pytest.mark.parametrize("trouble", ["away", "hangs"])
@pytest.mark.parametrize("ask", ALL)
async def test_where_nothing_can_be_kept_requests_are_served(
    world: World, ask: Ask, trouble: str, autojump_clock: trio.testing.MockClock
) -> None:
    """Each time anew."""
    me = await sign_up(world)
    setattr(world.kept, trouble, True)
    for _ in range(2):
        assert (200, None) == (await said(await ask(world, me, "key")))[::2]


async def test_what_is_kept_cannot_be_read_or_changed_there(world: World) -> None:
    """It is sealed, and a name tells nothing; what is no answer of ours is none."""
    me = await sign_up(world)
    first = (await said(await ticket(world, me, "key")))[1]
    [(name, (sealed, keep_s))] = world.kept.rows.items()
    secret = first["data"]["ticket"].encode()
    assert secret not in sealed
    assert me.user_id not in name
    assert "key" not in name
    assert 30 == keep_s
    for forged in (sealed[:-1] + bytes([sealed[-1] ^ 1]), b"", b"x" * 200):
        world.kept.rows[name] = forged, keep_s
        status, told, replayed = await said(await ticket(world, me, "key"))
        assert (200, None) == (status, replayed)
        assert first != told


@pytest.mark.parametrize("ask", ALL)
async def test_a_key_that_is_none_is_refused(world: World, ask: Ask) -> None:
    """As everywhere."""
    me = await sign_up(world)
    assert 400 == (await ask(world, me, "x" * 256)).status_code
