"""HEAD, OPTIONS and pages of other origins, over the whole table."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from scoreboard.security.keys import KeyRing
from scoreboard.wire.origins import Origins
from tests.api.wire import ask
from tests.api.world import World, running_world

GAME = b"https://game.example"
VOLATILE = {"x-request-id", "content-length"}


@pytest.fixture
async def shared(ring: KeyRing) -> AsyncIterator[World]:
    """A server that one other origin may use."""
    async with running_world(ring=ring, origins=Origins.of(GAME.decode())) as running:
        yield running


def addresses(world: World) -> dict[str, set[str]]:
    """A path for each route, and the methods that it understands."""
    found: dict[str, set[str]] = {}
    for route in world.app.routes.values():
        path = route.path.replace("{userId}", "9f3c1d2e-4b5a-4c6d-8e7f-0a1b2c3d4e5f").replace("{name:path}", "none.js")
        found.setdefault(path, {"OPTIONS"}).update({route.method, "HEAD"} if route.method == "GET" else {route.method})
    return found


async def test_options_tell_what_an_address_understands(world: World) -> None:
    """Exactly what is declared; and what is told with a 405 is the same."""
    for path, methods in addresses(world).items():
        told = await ask(world.app, "OPTIONS", path)
        refused = await ask(world.app, "TRACE", path)
        assert (204, b"", 405) == (told.status, told.body, refused.status), path
        assert methods == set(told.headers["allow"].split(", ")) == set(refused.headers["allow"].split(", ")), path


async def test_head_tells_what_get_would(world: World) -> None:
    """The same status and headers, nothing behind them."""
    for path, methods in addresses(world).items():
        if "HEAD" not in methods:
            assert 405 == (await ask(world.app, "HEAD", path)).status, path
            continue
        full, head = await ask(world.app, "GET", path), await ask(world.app, "HEAD", path)
        assert (full.status, b"") == (head.status, head.body), path
        assert _steady(full.headers) == _steady(head.headers), path
        assert path == "/metrics" or abs(int(full.headers["content-length"]) - int(head.headers["content-length"])) < 3


def _steady(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in VOLATILE}


async def test_a_listed_origin_may_read_every_answer(shared: World) -> None:
    """Errors too, with the headers that a client needs."""
    for path, methods in addresses(shared).items():
        for method in [*methods, "TRACE"]:
            sent = await ask(shared.app, method, path, headers=[(b"origin", GAME)])
            assert GAME.decode() == sent.headers["access-control-allow-origin"], (method, path)
            assert (b"vary", b"origin") in sent.messages[0]["headers"]
            for name in ("x-request-id", "etag", "retry-after", "ratelimit"):
                assert name in sent.headers["access-control-expose-headers"].split(", ")


async def test_a_browser_that_asks_beforehand_is_told_for_two_hours(shared: World) -> None:
    """Which methods and headers a page may use."""
    for path, methods in addresses(shared).items():
        asked = [(b"origin", GAME), (b"access-control-request-method", b"POST")]
        sent = await ask(shared.app, "OPTIONS", path, headers=asked)
        assert methods == set(sent.headers["access-control-allow-methods"].split(", "))
        assert {"authorization", "idempotency-key", "x-action-token", "content-type"} <= set(
            sent.headers["access-control-allow-headers"].split(", ")
        )
        assert (204, "7200") == (sent.status, sent.headers["access-control-max-age"])


@pytest.mark.parametrize("origin", [b"https://evil.example", b"null", b"https://game.example.evil.example", b"\xe9"])
async def test_other_origins_are_told_nothing(shared: World, origin: bytes) -> None:
    """The answer is the same without the permission; caches are told that it depends."""
    for method in ("GET", "OPTIONS"):
        asked = [(b"origin", origin), (b"access-control-request-method", b"GET")]
        sent = await ask(shared.app, method, "/api/scores/top", headers=asked)
        assert not [name for name in sent.headers if name.startswith("access-control")]
        assert (b"vary", b"origin") in sent.messages[0]["headers"]


async def test_where_no_origin_is_listed_answers_do_not_depend_on_it(world: World) -> None:
    """Nothing is said, and caches keep one answer for all."""
    sent = await ask(world.app, "GET", "/health", headers=[(b"origin", GAME)])
    assert not [name for name in sent.headers if name.startswith("access-control") or name == "vary"]
