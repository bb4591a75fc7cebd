from __future__ import annotations

import json
from typing import Any

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from scoreboard.api.body import unique
from scoreboard.api.errors import ApiError
from tests.api.wire import ask, part
from tests.api.world import Me, World, running_world
from tests.security.rings import fresh_ring

PATHS = (
    "/api/auth/register",
    "/api/auth/login",
    "/api/auth/refresh",
    "/api/auth/logout",
    "/api/actions/token",
    "/api/scores/increment",
)
NAMES = ("username", "email", "password", "refreshToken", "actionToken", "userId", "timestamp", "nonce", "signature")

texts = st.text(st.characters(), max_size=80)  # lone surrogates and U+0000 among them
names = st.sampled_from(NAMES) | texts
leaves = st.none() | st.booleans() | st.integers() | st.floats() | texts
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=6))
tokens = st.fixed_dictionaries(dict.fromkeys(("userId", "timestamp", "nonce", "signature"), leaves))
likely = (
    st.fixed_dictionaries({"username": texts, "password": texts}, optional={"email": texts})
    | st.fixed_dictionaries({"refreshToken": texts})
    | st.fixed_dictionaries({"actionToken": tokens})
)
bodies = st.builds(json.dumps, values | likely, ensure_ascii=st.booleans()).map(
    lambda text: text.encode("utf-8", "surrogatepass")
)


class Name(str):
    """Counts how often it is compared."""

    __slots__ = ()
    compared = 0
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        Name.compared += 1
        return str.__eq__(self, other)


def test_a_field_that_stands_twice_is_found_at_a_glance() -> None:
    """Nobody can keep the server busy with a body full of names: each is looked at once or twice, not once a pair."""
    names_given = [Name(number) for number in range(2_000)]
    with pytest.raises(ApiError, match='"1999" twice'):
        unique([(name, 0) for name in (*names_given, Name(1_999))])
    assert Name.compared < 4 * len(names_given)


RING = fresh_ring()  # once for all examples


@settings(max_examples=150, deadline=None)
@given(body=bodies | st.binary(max_size=200), path=st.sampled_from(PATHS), header=texts)
def test_no_body_whatever_makes_the_server_fail(body: bytes, path: str, header: str) -> None:
    """Random JSON, nearly right JSON and plain bytes: a 2xx or a 4xx in the shape of all errors, never a 500."""
    trio.run(probe, body, path, header)


async def probe(body: bytes, path: str, header: str) -> None:
    """Send it, to a world of its own."""
    async with running_world(ring=RING) as world:
        me = await world.signed_up("Eve")
        key = header.encode("utf-8", "replace").translate(None, b"\r\n\0")  # these end at the server before us
        headers = [
            (b"content-type", b"application/json"),
            (b"authorization", f"Bearer {me.access}".encode()),
            (b"idempotency-key", key),
        ]
        sent = await ask(world.app, "POST", path, headers=headers, messages=[part(body, last=True)])
        told: Any = json.loads(sent.body)
        assert sent.status < 500, told
        if sent.status >= 400:
            assert {"error", "message", "code"} == set(told)
        assert "request_failed" not in world.log.getvalue()
        await still_well(world, me, path, sent.status)


async def still_well(world: World, me: Me, path: str, status: int) -> None:
    """Whatever was sent, the player can go on."""
    if path == "/api/auth/logout" and status == 200:
        return
    await world.point(me)


async def test_no_address_whatever_makes_the_server_fail(world: World) -> None:
    """Random paths and queries end in an answer of ours, one after the other on one server."""

    @settings(max_examples=200, deadline=None)
    @given(start=st.sampled_from(("/", "/api/scores/", "/api/scores/user/", "/web/")), path=texts, query=texts)
    def asked(start: str, path: str, query: str) -> None:
        trio.from_thread.run(probe_address, world, start + path, query)

    await trio.to_thread.run_sync(asked)
    assert "request_failed" not in world.log.getvalue()


async def probe_address(world: World, path: str, query: str) -> None:
    """Ask for it as an ASGI server hands it over."""
    sent = await ask(world.app, "GET", path, query=query.encode("utf-8", "replace"))
    assert sent.status < 500, sent.body
