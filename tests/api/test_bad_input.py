from __future__ import annotations

import json
from typing import Any

import pytest

from scoreboard.api.body import parse
from scoreboard.api.errors import ApiError
from tests.api.world import PASSWORD, World

REGISTER = {"username": "Ada", "email": "ada@example.org", "password": PASSWORD}
TOKEN = {"userId": "u", "timestamp": 1, "nonce": "n", "signature": "0" * 64}
JSON = {"Content-Type": "application/json"}
WRONG_TIMES: list[Any] = [None, True, 1.5, "1", [], {}, -1, 2**53 + 1, 2**64, 10**4000]
WRONG: list[Any] = [None, True, 1, 1.5, [], {}, ["x"], {"x": 1}]


def encoded(value: Any) -> bytes:
    """JSON as UTF-8."""
    return json.dumps(value).encode()


def without(value: dict[str, Any], name: str) -> dict[str, Any]:
    """The object without one field."""
    return {key: each for key, each in value.items() if key != name}


FIELDS: list[tuple[str, Any, str]] = [
    *[("/api/auth/register", REGISTER | {name: wrong}, name) for name in REGISTER for wrong in WRONG],
    *[("/api/auth/register", without(REGISTER, name), name) for name in REGISTER],
    *[("/api/auth/login", {"username": "a", "password": "b"} | {"password": wrong}, "password") for wrong in WRONG],
    *[("/api/auth/refresh", {"refreshToken": wrong}, "refreshToken") for wrong in WRONG],
    *[("/api/scores/increment", {"actionToken": wrong}, "actionToken") for wrong in (*WRONG, "x") if wrong != {}],
    *[("/api/scores/increment", {"actionToken": without(TOKEN, name)}, name) for name in TOKEN],
    *[("/api/scores/increment", {"actionToken": TOKEN | {"userId": wrong}}, "userId") for wrong in (*WRONG, "")],
    *[("/api/scores/increment", {"actionToken": TOKEN | {"timestamp": wrong}}, "timestamp") for wrong in WRONG_TIMES],
    ("/api/scores/increment", {"actionToken": TOKEN | {"nonce": "n" * 129}}, "nonce"),
    ("/api/scores/increment", {"actionToken": TOKEN, "points": 5}, "points"),
    ("/api/scores/increment", {"actionToken": TOKEN | {"points": 5}}, "points"),
    ("/api/auth/register", REGISTER | {"role": "admin"}, "role"),
    ("/api/auth/login", {"username": "a", "password": "b", "x": 1}, "x"),
    ("/api/auth/refresh", {"refreshToken": "x", "refresh_token": "x"}, "refresh_token"),
    ("/api/actions/token", {"points": 5}, "points"),
    ("/api/auth/logout", {"all": True}, "all"),
]


@pytest.mark.parametrize(("path", "body", "field"), FIELDS)
async def test_a_wrong_field_is_refused_by_name(world: World, path: str, body: Any, field: str) -> None:
    """A missing, unknown or mistyped field is a 400 that names it, and nothing has changed."""
    me = await world.signed_up("Eve")
    before = world.state()
    response = await world.post_raw(path, encoded(body), JSON, token=me.access)
    told = await response.get_json()
    assert (400, "INVALID_INPUT", {"error", "message", "code"}) == (response.status_code, told["code"], set(told))
    assert field in told["message"]
    assert before == world.state()


BODIES = [
    (b"", "empty"),
    (b"{", "JSON"),
    (b"null", "object"),
    (b"[]", "object"),
    (b'"text"', "object"),
    (b"1", "object"),
    (b"NaN", "NaN"),
    (b'{"username": NaN}', "NaN"),
    (b'{"username": -Infinity}', "Infinity"),
    (b'{"username": 1e999}', "1e999"),
    (b'{"username": ' + b"1" * 5000 + b"}", "digits"),
    (b'{"username": "a", "username": "b"}', '"username" twice'),
    (b'{"username": {"a": 1, "a": 1}}', '"a" twice'),
    (b'{"\\ud800": 1, "\\ud800": 1}', "twice"),
    (b'{"username": "\\u0000"}', "U+0000"),
    (b'{"username": "a\\u0000b", "email": "a@b.c", "password": "12345678"}', "U+0000"),
    (b'{"username": "\\ud800", "email": "a@b.c", "password": "12345678"}', "surrogate"),
    (b'{"username": "\\udc00\\ud800", "email": "a@b.c", "password": "12345678"}', "surrogate"),
    (b'{"\\ud800": 1}', "surrogate"),
    (b'{"a": [[{"b": "\\u0000"}]]}', "U+0000"),
    (b'{"username": "\x00"}', "JSON"),
    (b'{"username": "\xff"}', "UTF-8"),
    (b'{"username": "\xed\xa0\x80"}', "UTF-8"),
    (b'{"username": "\xc0\x80"}', "UTF-8"),
    (b'\xef\xbb\xbf{"username": "a"}', "JSON"),
    ('{"username": "a"}'.encode("utf-16"), "UTF-8"),
    (b"[" * 16_000, ""),
    (b'{"a":' * 3000, ""),
    (b'{"a":' * 900 + b"1" + b"}" * 900, ""),
    (b"[" * 500 + b'"\\u0041"' + b"]" * 500, ""),
    (b"{'username': 'a'}", "JSON"),
    (b'{"username": "a",}', "JSON"),
    (b'{"username": "a"} {}', "JSON"),
    (b"username=a&password=b", "JSON"),
    (b"<xml/>", "JSON"),
]


@pytest.mark.parametrize("path", ["/api/auth/register", "/api/scores/increment"])
@pytest.mark.parametrize(("body", "said"), BODIES, ids=range(len(BODIES)))
async def test_what_is_not_strict_json_is_refused(world: World, path: str, body: bytes, said: str) -> None:
    """A 400 that says what is wrong, and nothing has changed."""
    me = await world.signed_up("Eve")
    before = world.state()
    response = await world.post_raw(path, body, JSON, token=me.access)
    told = await response.get_json()
    assert (400, "INVALID_INPUT", {"error", "message", "code"}) == (response.status_code, told["code"], set(told))
    assert said in told["message"]
    assert len(told["message"]) < 400
    assert before == world.state()


RULES = [
    ({"username": "ab"}, "user name"),
    ({"username": ""}, "user name"),
    ({"username": "x" * 51}, "user name"),
    ({"username": "x" * 10_000}, "user name"),
    ({"username": " Ada"}, "user name"),
    ({"username": "A\u202eda"}, "user name"),
    ({"username": "<b>Ada</b>"}, "user name"),
    ({"email": "ada"}, "e-mail"),
    ({"email": "ada@localhost"}, "e-mail"),
    ({"email": "a" * 250 + "@example.org"}, "e-mail"),
    ({"email": "a b@example.org"}, "e-mail"),
    ({"password": ""}, "password"),
    ({"password": "1234567"}, "password"),
    ({"password": "x" * 73}, "password"),
    ({"password": "é" * 37}, "password"),
]


@pytest.mark.parametrize(("change", "said"), RULES)
async def test_names_addresses_and_passwords_have_rules(world: World, change: dict[str, str], said: str) -> None:
    """A 400 with the rule that was broken; the value itself is not repeated."""
    response = await world.post("/api/auth/register", REGISTER | change)
    told = await response.get_json()
    assert (400, "INVALID_INPUT") == (response.status_code, told["code"])
    assert said in told["message"]
    assert {} == world.players.rows


@pytest.mark.parametrize("password", ["Qz7-pt3v", "xyz" * 24, "éàü" * 12, "pass word with spaces"])
async def test_passwords_at_the_edges_of_the_rules_work(world: World, password: str) -> None:
    """8 characters to 72 bytes."""
    assert 201 == (await world.post("/api/auth/register", REGISTER | {"password": password})).status_code
    body = {"username": "Ada", "password": password}
    assert 200 == (await world.post("/api/auth/login", body)).status_code


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": ""},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/jsonp"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
async def test_a_body_of_another_type_is_not_read(world: World, headers: dict[str, str]) -> None:
    """415."""
    response = await world.post_raw("/api/auth/register", encoded(REGISTER), headers)
    assert (415, "UNSUPPORTED_MEDIA_TYPE") == (response.status_code, (await response.get_json())["code"])
    assert {} == world.players.rows


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"'])
async def test_json_may_say_that_it_is_utf_8(world: World, kind: str) -> None:
    """Which it always is."""
    response = await world.post_raw("/api/auth/register", encoded(REGISTER), {"Content-Type": kind})
    assert 201 == response.status_code


@pytest.mark.parametrize(
    "path", ["/api/auth/register", "/api/auth/login", "/api/auth/refresh", "/api/auth/logout", "/api/actions/token"]
)
async def test_a_query_where_none_belongs_is_refused(world: World, path: str) -> None:
    """Passwords and tokens do not belong into addresses, and what is not understood is not ignored."""
    me = await world.signed_up("ada")
    response = await world.post(path + "?password=x", REGISTER, token=me.access)
    assert (400, "INVALID_INPUT") == (response.status_code, (await response.get_json())["code"])


@pytest.mark.parametrize("body", [b"[" * 200_000, b'{"a":' * 200_000, b"[" * 65 + b'"\\u0041"' + b"]" * 65])
def test_nesting_beyond_reason_is_told_to_be_that(body: bytes) -> None:
    """Whatever depth this version of Python still reads."""
    with pytest.raises(ApiError, match="nested too deeply"):
        parse(body)
