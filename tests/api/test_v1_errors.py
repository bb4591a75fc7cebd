from __future__ import annotations

from typing import Any

import pytest

from scoreboard.api.dialects import speaks_b
from tests.api.v1 import code_of, sign_up
from tests.api.wire import ask, part
from tests.api.world import PASSWORD, World

BODY = {"username": "Ada", "email": "ada@example.org", "password": PASSWORD}
JSON = {"Content-Type": "application/json"}


async def test_an_address_that_is_none_is_told_so_in_document_b_s_shape(world: World) -> None:
    """Below /api/v1, and at /api/v1 itself."""
    for path in ("/api/v1", "/api/v1/", "/api/v1/nothing", "/api/v1//users/me", "/api/v1/users"):
        assert (404, "NOT_FOUND", None) == await code_of(await world.get(path)), path


def test_only_what_lies_below_the_version_is_document_b_s() -> None:
    """A longer word is another address."""
    assert [True, True, False, False] == [
        speaks_b(path) for path in ("/api/v1", "/api/v1/x", "/api/v10/x", "/api/scores/top")
    ]


async def test_a_method_that_is_wrong_is_told_so_in_document_b_s_shape(world: World) -> None:
    """With those that are right in `Allow`."""
    response = await world.post("/api/v1/leaderboard/top")
    assert (405, "METHOD_NOT_ALLOWED", None) == await code_of(response)
    assert "GET, HEAD, OPTIONS" == response.headers["Allow"]
    me = await world.app.test_client().delete("/api/v1/users/me")
    assert "GET, HEAD, OPTIONS, PATCH" == me.headers["Allow"]


async def test_a_body_of_the_wrong_kind_is_told_so_in_document_b_s_shape(world: World) -> None:
    """415 for another type, 413 for too much of it, 400 for what is no JSON."""
    me = await sign_up(world)
    path = "/api/v1/scores/update"
    typed = await world.post_raw(path, b"{}", {"Content-Type": "text/plain"}, token=me.access)
    assert (415, "UNSUPPORTED_MEDIA_TYPE", None) == await code_of(typed)
    large = await world.post_raw(path, b" " * 20_000, JSON, token=me.access)
    assert (413, "CONTENT_TOO_LARGE", None) == await code_of(large)
    for raw in (b"", b"{", b"[]", b'{"a":NaN}', b'{"a":1,"a":2}', b'"\\ud800"', b"\xff"):
        assert (400, "INVALID_INPUT") == (await code_of(await world.post_raw(path, raw, JSON, token=me.access)))[:2]


async def test_our_own_fault_is_told_in_document_b_s_shape(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """500 with the request id, by which the log names what went wrong."""

    async def broken(*_: Any, by: Any) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr(type(world.given.passwords), "hash", broken)
    response = await world.post("/api/v1/auth/register", BODY, headers={"X-Request-Id": "req-7"})
    error = (await response.get_json())["error"]
    assert (500, "INTERNAL_ERROR", "req-7") == (response.status_code, error["code"], error["requestId"])
    assert "a bug" in world.log.getvalue()


@pytest.mark.parametrize("path", ["/api/v1/actions", "/api/v1/leaderboard/top", "/api/v1/nothing"])
async def test_every_answer_of_document_b_has_a_request_id(world: World, path: str) -> None:
    """The client's own, if it gave a sane one."""
    assert "req-9" == (await world.get(path, headers={"X-Request-Id": "req-9"})).headers["X-Request-Id"]
    assert (await world.get(path)).headers["X-Request-Id"]


async def test_a_body_that_is_too_large_on_its_way_is_told_so_in_document_b_s_shape(world: World) -> None:
    """Though its length was never announced."""
    pieces = [part(b" " * 10_000), part(b" " * 10_000)]
    sent = await ask(world.app, "POST", "/api/v1/auth/login", messages=pieces)
    assert 413 == sent.status
    assert sent.body.startswith(b'{"success":false,"error":{"code":"CONTENT_TOO_LARGE"')


async def test_the_methods_of_an_address_of_document_b_can_be_asked_for(world: World) -> None:
    """And a HEAD is a GET without its body."""
    options = await world.app.test_client().options("/api/v1/users/me")
    assert (204, "GET, HEAD, OPTIONS, PATCH") == (options.status_code, options.headers["Allow"])
    head = await world.app.test_client().head("/api/v1/leaderboard/top")
    assert (200, b"") == (head.status_code, await head.get_data())
