"""How often the API may be asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from actors.ports import Quota
from actors.user.world import UserRules
from scoreboard.api.gate import GateRules
from scoreboard.security.keys import KeyRing
from tests.api.world import PASSWORD, Me, World, running_world

FEW = GateRules(
    address=Quota(5),
    worker=Quota(1000),
    sign_ins_of_address=Quota(3),
    sign_ins_of_account=Quota(2),
    registrations=Quota(2),
    of_players={"/api/actions/token": ("tokens", Quota(2))},
)
TOP = "/api/scores/top"


@pytest.fixture
async def world(ring: KeyRing) -> AsyncIterator[World]:
    """An API with low limits."""
    async with running_world(ring=ring, gate=FEW) as world:
        yield world


async def asked(world: World, path: str = TOP, *, client: str = "192.0.2.1", **given: Any) -> Any:
    """The answer to one request from that address."""
    return await world.app.test_client().get(path, scope_base={"client": (client, 4000)}, **given)


async def statuses(world: World, *clients: str) -> list[int]:
    """What each is answered."""
    return [(await asked(world, client=client)).status_code for client in clients]


async def test_one_address_has_its_share_and_a_new_one_each_minute(autojump_clock: MockClock, world: World) -> None:
    """Others are not touched by that."""
    assert [200] * 5 + [429] * 2 == await statuses(world, *["192.0.2.1"] * 7)
    assert [200] == await statuses(world, "192.0.2.2")
    await trio.sleep(60)
    assert [200] == await statuses(world, "192.0.2.1")


async def test_all_of_one_ipv6_site_share_one_limit(world: World) -> None:
    """A household may choose among 2^64 addresses, and gains nothing by it."""
    assert [200] * 5 + [429] == await statuses(world, *(f"2001:db8::{number}" for number in range(6)))
    assert [200] == await statuses(world, "2001:db8:0:1::1")


async def test_a_header_gains_nothing(world: World) -> None:
    """Only the door says who a client is."""
    told = [
        await asked(world, headers={"X-Forwarded-For": f"10.0.0.{number}", "Forwarded": f"for=10.0.0.{number}"})
        for number in range(6)
    ]
    assert [200] * 5 + [429] == [answer.status_code for answer in told]


async def test_every_answer_tells_of_the_limit(world: World) -> None:
    """Errors and refusals too; in the words of both customs."""
    paths = (TOP, "/api/nothing", "/api/v1/users/me", "/api/scores/top?limit=x", TOP, TOP)
    told = [await asked(world, path) for path in paths]
    assert [200, 404, 401, 400, 200, 429] == [answer.status_code for answer in told]
    assert [4, 3, 2, 1, 0, 0] == [int(answer.headers["X-RateLimit-Remaining"]) for answer in told]
    assert {"5"} == {answer.headers["X-RateLimit-Limit"] for answer in told}
    assert ['"address";q=5;w=60'] * 6 == [answer.headers["RateLimit-Policy"] for answer in told]
    assert ['"address";r=4;t=60', '"address";r=3;t=60'] == [answer.headers["RateLimit"] for answer in told[:2]]
    now_s = world.clock.now_us() // 1_000_000
    assert {True} == {0 < int(answer.headers["X-RateLimit-Reset"]) - now_s <= 61 for answer in told}
    assert "60" == told[-1].headers["Retry-After"]


async def test_a_refusal_is_in_the_shape_of_its_document(world: World) -> None:
    """And says when to come back."""
    await statuses(world, *["192.0.2.1"] * 5)
    of_a = await (await asked(world)).get_json()
    of_b = (await (await asked(world, "/api/v1/leaderboard/top")).get_json())["error"]
    assert ("RATE_LIMITED", 60) == (of_a["code"], of_a["retryAfter"])
    assert ("RATE_LIMIT_EXCEEDED", 60) == (of_b["code"], of_b["retryAfter"])
    assert "Maximum 5 requests per minute from one address" in of_a["message"]


async def test_what_operators_and_the_page_ask_is_not_counted(world: World) -> None:
    """Probes ask all day long."""
    for _ in range(20):
        answer = await asked(world, "/health")
        assert (200, False) == (answer.status_code, "RateLimit" in answer.headers)


async def test_one_worker_has_its_own_limit(autojump_clock: MockClock, ring: KeyRing) -> None:
    """Whoever asks, from wherever; nobody else is asked about it."""
    async with running_world(ring=ring, gate=GateRules(worker=Quota(3))) as world:
        assert [200] * 3 + [429] == await statuses(world, *(f"192.0.2.{number}" for number in range(4)))
        refused = await asked(world)
        assert '"worker";r=0' in refused.headers["RateLimit"]
        await trio.sleep(60)
        assert [200] == await statuses(world, "192.0.2.9")


async def tried(world: World, name: str, client: str = "192.0.2.1") -> Any:
    """The answer to a wrong password."""
    return await world.app.test_client().post(
        "/api/auth/login", json={"username": name, "password": PASSWORD}, scope_base={"client": (client, 4000)}
    )


async def test_an_account_is_tried_so_often_only_from_wherever(world: World) -> None:
    """Also one that does not exist: otherwise one could tell."""
    told = [(await tried(world, name, f"192.0.2.{n}")).status_code for n, name in enumerate(["Ada", "ada", "ADA"])]
    assert [401, 401, 429] == told
    assert 401 == (await tried(world, "Bob", "192.0.2.9")).status_code


async def test_an_address_tries_so_many_accounts_only(world: World) -> None:
    """A password spray."""
    assert [401] * 3 + [429] == [(await tried(world, name)).status_code for name in ("A1x", "B1x", "C1x", "D1x")]


async def test_a_password_is_guessed_no_more_often_by_who_has_stolen_a_token(world: World) -> None:
    """To change it one must know it: each try counts as one to sign in, for the player and for the address."""
    ada, bob = await world.signed_up("ada"), await world.signed_up("bob")

    async def tries(me: Me, client: str, guess: str = "not the password") -> tuple[int, str]:
        body = {"currentPassword": guess, "newPassword": "quite another secret"}
        named = {"headers": {"Authorization": f"Bearer {me.access}"}, "scope_base": {"client": (client, 4000)}}
        answer = await world.app.test_client().post("/api/v1/auth/password", json=body, **named)
        return answer.status_code, (await answer.get_json()).get("error", {}).get("message", "")

    wrong = 401, "The present password is wrong."
    late = 429, "Too many attempts to change the password. Please wait before trying again."
    assert [wrong, wrong, late] == [await tries(ada, f"192.0.2.{n}") for n in range(3)]
    assert late == await tries(ada, "192.0.2.9", PASSWORD)
    assert 200 == (await tried(world, "ada", "192.0.2.9")).status_code  # who knows it is not kept out by that
    assert [401] * 3 == [(await tried(world, name, "192.0.2.8")).status_code for name in ("A1x", "B1x", "C1x")]
    assert late == await tries(bob, "192.0.2.8", PASSWORD)
    assert 200 == (await tries(bob, "192.0.2.7", PASSWORD))[0]


async def test_what_sets_the_clock_gains_nothing(world: World) -> None:
    """Neither that of the server nor what a request says of the time."""
    await statuses(world, *["192.0.2.1"] * 5)
    world.clock.move(86_400)
    date = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    assert 429 == (await asked(world, headers={"Date": date, "X-RateLimit-Reset": "0"})).status_code
    world.clock.move(-2 * 86_400)
    assert 429 == (await asked(world)).status_code


async def registered(world: World, name: str, client: str = "192.0.2.1") -> Any:
    """The answer to who wants an account."""
    body = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
    return await world.app.test_client().post("/api/auth/register", json=body, scope_base={"client": (client, 4000)})


async def test_an_address_makes_so_many_accounts_only(world: World) -> None:
    """Whether it gets them or not; what is no wish for one is not counted, and others are not touched."""
    told = [await registered(world, name) for name in ("no", "Ada", "Ada", "Bob")]
    assert [400, 201, 409, 429] == [answer.status_code for answer in told]
    assert '"registration";r=0' in told[-1].headers["RateLimit"]
    assert "Too many attempts to register" in (await told[-1].get_json())["message"]
    assert 201 == (await registered(world, "Bob", "192.0.2.2")).status_code
    assert 2 == len(world.players.rows)


async def test_what_counts_for_a_player_too_tells_of_its_limit(ring: KeyRing) -> None:
    """When it was used up as well, and beside the others."""
    async with running_world(ring=ring, gate=FEW, rules=UserRules(tokens=Quota(2))) as world:
        bearer = {"Authorization": f"Bearer {(await (await registered(world, 'Ada')).get_json())['accessToken']}"}
        client, told = world.app.test_client(), []
        for number in range(3):
            address = {"client": (f"192.0.2.{number + 7}", 4000)}
            told.append(await client.post("/api/actions/token", headers=bearer, scope_base=address))
        assert [200, 200, 429] == [answer.status_code for answer in told]
        assert ['"address";r=4;t=60, "tokens";r=1;t=60', '"address";r=4;t=60, "tokens";r=0;t=60'] == [
            answer.headers["RateLimit"] for answer in told[:2]
        ]
        assert ["1", "0", "0"] == [answer.headers["X-RateLimit-Remaining"] for answer in told]
        assert {'"address";q=5;w=60, "tokens";q=2;w=60'} == {answer.headers["RateLimit-Policy"] for answer in told}
