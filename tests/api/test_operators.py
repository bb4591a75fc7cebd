from __future__ import annotations

from typing import Any

import jwt
import pytest
import trio
from trio.testing import MockClock

from scoreboard.api.world import Part
from scoreboard.security.keys import KeyRing
from tests.api.world import World, running_world


async def test_health_looks_at_nothing_but_the_process(world: World) -> None:
    """200 while everything else is away."""
    world.health.parts = [Part("postgres", "is away")]
    response = await world.get("/health")
    assert (200, {"status": "ok"}) == (response.status_code, await response.get_json())


async def test_ready_names_every_part(world: World) -> None:
    """200 when nothing is wrong with any of them."""
    response = await world.get("/ready")
    expected = {"status": "ready", "parts": {"postgres": "ok", "redis": "ok"}}
    assert (200, expected) == (response.status_code, await response.get_json())


async def test_not_ready_says_what_is_missing(world: World) -> None:
    """503 with the names of the parts that are not there."""
    world.health.parts = [Part("postgres", "no connection"), Part("redis", None)]
    response = await world.get("/ready")
    told = await response.get_json()
    assert (503, "NOT_READY", "Not ready: postgres.") == (response.status_code, told["code"], told["message"])
    assert {"postgres": "no connection", "redis": "ok"} == told["parts"]
    assert "Retry-After" in response.headers


async def test_what_is_not_needed_is_told_and_keeps_nobody_away(world: World) -> None:
    """A load balancer goes on, and an operator sees what is missing."""
    world.health.parts = [Part("postgres", None), Part("redis", "does not answer", needed=False)]
    response = await world.get("/ready")
    expected = {"status": "ready", "parts": {"postgres": "ok", "redis": "does not answer"}}
    assert (200, expected) == (response.status_code, await response.get_json())


async def test_a_check_that_hangs_is_not_ready(ring: KeyRing, autojump_clock: MockClock) -> None:
    """Also this wait has a bound."""

    async def never() -> list[Part]:
        await trio.sleep_forever()
        raise AssertionError

    async with running_world(ring=ring, readiness=never) as world:
        response = await world.get("/ready")
        assert (503, "no answer within 5 s") == (
            response.status_code,
            (await response.get_json())["parts"]["readiness"],
        )


async def test_metrics_are_in_prometheus_text_form(world: World) -> None:
    """With document A's names."""
    me = await world.signed_up("Ada")
    await world.point(me)
    response = await world.get("/metrics")
    text = await response.get_data(as_text=True)
    assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "http_request_duration_seconds_bucket" in text
    assert "score_increments_total 1.0" in text
    assert me.user_id not in text


async def test_a_repeated_answer_is_not_counted_as_a_score(world: World) -> None:
    """One point, one count."""
    me = await world.signed_up("Ada")
    token = await world.action_token(me)
    await world.increment(me, token, "k")
    await world.increment(me, token, "k")
    assert "score_increments_total 1.0" in await (await world.get("/metrics")).get_data(as_text=True)


async def test_the_public_keys_verify_our_tokens(world: World) -> None:
    """Another program can check an access token with nothing but this address."""
    me = await world.signed_up("Ada")
    response = await world.get("/.well-known/jwks.json")
    keys = (await response.get_json())["keys"]
    assert ["RS256"] == [key["alg"] for key in keys]
    assert {"kty", "use", "alg", "kid", "n", "e"} == set(keys[0])
    options: Any = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(
        me.access, jwt.PyJWK(keys[0]), ["RS256"], options, audience="scoreboard-client", issuer="scoreboard-api"
    )
    assert ("Ada", me.user_id) == (claims["username"], claims["sub"])
    assert "max-age" in response.headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics", "/.well-known/jwks.json"])
async def test_operators_addresses_are_read_only(world: World, path: str) -> None:
    """405 for anything that could change something."""
    assert 405 == (await world.post(path, {})).status_code
