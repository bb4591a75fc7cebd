from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from quart import Response

from scoreboard.api.batch_body import MOST_BYTES, _read_fast, _read_slowly, rows_of
from scoreboard.api.errors import ApiError
from tests.api.test_hostile_json import values
from tests.api.wire import ask, part
from tests.api.world import World, running_world

PATH = "/api/v1/scores/batch"
SERVICE_ID = "0123456789abcdef"
STRANGER = "00000000-0000-4000-8000-000000000001"


def service(world: World, name: str = "arena") -> str:
    """A token of a service that may send scores."""
    tokens = world.given.tokens
    world.live.add((name, SERVICE_ID))
    return tokens.issue_for_service(name, SERVICE_ID, expires_s=world.clock.now_us() // 1_000_000 + 3600)


def row(user_id: str, action_id: object, **more: object) -> dict[str, object]:
    """A row as it stands in a body."""
    return {"userId": user_id, "actionId": action_id, **more}


async def results_of(response: Response) -> list[dict[str, Any]]:
    """The results of a batch that was answered."""
    told = await response.get_json()
    assert (200, True) == (response.status_code, told["success"]), told
    rows: list[dict[str, Any]] = told["data"]["results"]
    return rows


async def error_of(response: Response, code: str) -> Mapping[str, Any]:
    """The error in document B's shape."""
    told = await response.get_json()
    assert {"success", "error"} == set(told)
    assert {"code", "message", "timestamp", "requestId"} <= set(told["error"])
    assert (False, code) == (told["success"], told["error"]["code"])
    assert response.headers["X-Request-Id"] == told["error"]["requestId"]
    error: Mapping[str, Any] = told["error"]
    return error


async def test_a_batch_is_answered_in_document_bs_envelope_with_a_result_for_each_row(world: World) -> None:
    """In the order of the request; the board knows at once."""
    ada, bob = await world.signed_up("Ada"), await world.signed_up("Bob")
    token = service(world)
    rows = [row(bob.user_id, "q-1"), row("0" * 8 + ada.user_id[8:], "q-2"), row(ada.user_id.upper(), "q-3")]
    response = await world.post(PATH, {"scores": rows}, token=token)
    told = await response.get_json()
    first, second, third = await results_of(response)
    assert {
        "actionId": "q-1",
        "userId": bob.user_id,
        "success": True,
        "newScore": 1,
        "previousRank": 2,
        "newRank": 1,
        "repeated": False,
    } == first
    assert ("USER_NOT_FOUND", False) == (second["error"]["code"], second["success"])
    assert (1, ada.user_id) == (third["newScore"], third["userId"])
    assert (2, 0, 1) == tuple(told["data"][name] for name in ("counted", "repeated", "refused"))
    assert "2 of 3 scores counted" == told["message"]
    top = await (await world.get("/api/scores/top")).get_json()
    assert [1, 1] == [each["score"] for each in top["leaderboard"]]
    again = await results_of(await world.post(PATH, {"scores": rows}, token=token))
    assert [(1, True, None), (1, True, None)] == [
        (each["newScore"], each["repeated"], each["newRank"]) for each in again if each["success"]
    ]
    assert "score_increments_total 2.0" in await (await world.get("/metrics")).get_data(as_text=True)


@pytest.mark.parametrize(
    "bad",
    [
        {"userId": 7, "actionId": "x"},
        {"actionId": "x"},
        {"userId": "bob", "actionId": "x"},
        {"userId": "{me}", "actionId": ""},
        {"userId": "{me}", "actionId": "a b"},
        {"userId": "{me}", "actionId": "é"},
        {"userId": "{me}", "actionId": "a" * 129},
        {"userId": "{me}", "actionId": "x", "scoreIncrement": 1.5},
        {"userId": "{me}", "actionId": "x", "scoreIncrement": 2},
        {"userId": "{me}", "actionId": "x", "scoreIncrement": 2**70},
        {"userId": "{me}", "actionId": "x", "actionType": "FLY"},
        {"userId": "{me}", "actionId": "x", "points": 1},
        None,
        [],
        "row",
    ],
)
async def test_a_row_that_is_none_is_refused_and_its_neighbours_count(world: World, bad: object) -> None:
    """So one mistake does not hold up a game's whole queue."""
    me = await world.signed_up("Ada")
    if isinstance(bad, dict) and bad.get("userId") == "{me}":
        bad["userId"] = me.user_id
    rows = [row(me.user_id, "1"), bad, row(me.user_id, "2", actionType="INCREMENT", scoreIncrement=1)]
    results = await results_of(await world.post(PATH, {"scores": rows}, token=service(world)))
    assert [True, False, True] == [each["success"] for each in results]
    assert "INVALID_INPUT" == results[1]["error"]["code"]
    assert 2 == results[2]["newScore"]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "empty"),
        (b"{", "not valid JSON"),
        (b'{"scores": [NaN]}', "NaN"),
        (b'{"scores": [{"userId": "a", "userId": "b", "actionId": "c"}]}', '"userId" twice'),
        (b'{"scores": [{"userId": "a", "user\\u0049d": "b", "actionId": "c"}]}', '"userId" twice'),
        (b'{"scores": [], "scores": []}', '"scores" twice'),
        (b'{"scores": {}}', "one field, scores"),
        (b"[]", "one field, scores"),
        (b'{"scores": [], "more": 1}', "one field, scores"),
        (b'{"scores": [%s]}' % b",".join([b"1"] * 1001), "at most 1000 rows"),
        (b"\xff", "UTF-8"),
    ],
)
async def test_a_body_that_is_no_batch_is_refused_as_a_whole(world: World, body: bytes, sentence: str) -> None:
    """400 with a sentence, and nothing has changed."""
    before = world.state()
    headers = {"Content-Type": "application/json"}
    response = await world.post_raw(PATH, body, headers, token=service(world))
    assert 400 == response.status_code
    assert sentence in (await error_of(response, "INVALID_INPUT"))["message"]
    assert before == world.state()


async def test_only_a_service_may_send_batches_and_it_may_do_nothing_else(world: World) -> None:
    """403 with a sentence, either way; 401 without a token or with one that was revoked."""
    me = await world.signed_up("Ada")
    token = service(world)
    refused = await world.post(PATH, {"scores": []}, token=me.access)
    assert 403 == refused.status_code
    assert "Only a service" in (await error_of(refused, "FORBIDDEN"))["message"]
    other = await world.post("/api/actions/token", token=token)
    assert (403, "FORBIDDEN") == (other.status_code, (await other.get_json())["code"])
    nobody = await world.post(PATH, {"scores": []})
    assert (401, True) == (nobody.status_code, "WWW-Authenticate" in nobody.headers)
    await error_of(nobody, "UNAUTHORIZED")
    assert 200 == (await world.post(PATH, {"scores": []}, token=token)).status_code
    world.live.clear()
    await error_of(await world.post(PATH, {"scores": []}, token=token), "UNAUTHORIZED")
    world.live.add(("arena", SERVICE_ID))
    world.clock.move(3600)
    await error_of(await world.post(PATH, {"scores": []}, token=token), "TOKEN_EXPIRED")


async def test_what_is_not_there_is_told_in_document_bs_shape_too(world: World) -> None:
    """Every address under /api/v1 speaks it."""
    await error_of(await world.get(PATH), "METHOD_NOT_ALLOWED")
    await error_of(await world.get("/api/v1/nothing"), "NOT_FOUND")
    await error_of(await world.post_raw(PATH, b"{}", {}, token=service(world)), "UNSUPPORTED_MEDIA_TYPE")


async def test_a_long_body_is_read_from_a_service_only(world: World) -> None:
    """A stranger's is refused before it is read, and a service's when it is longer than any batch."""
    me = await world.signed_up("Ada")
    rows = [row(me.user_id, f"{n}".rjust(128, "x"), actionType="INCREMENT", scoreIncrement=1) for n in range(1000)]
    body = json.dumps({"scores": rows}).encode()
    headers = {"Content-Type": "application/json"}
    assert 16 * 1024 < len(body) < MOST_BYTES
    stranger = await world.post_raw(PATH, body, headers, token=me.access)
    assert 413 == stranger.status_code
    await error_of(stranger, "CONTENT_TOO_LARGE")
    results = await results_of(await world.post_raw(PATH, body, headers, token=service(world)))
    assert list(range(1, 1001)) == [each["newScore"] for each in results]
    assert 413 == (await world.post_raw(PATH, b" " * (MOST_BYTES + 1), headers, token=service(world))).status_code


known = st.sampled_from(["a", "7e57ab1e-0000-4000-8000-000000000001", "userId", "INCREMENT"])
rowlike = st.fixed_dictionaries(
    {"userId": known | st.text(max_size=4), "actionId": known},
    optional={"actionType": known, "scoreIncrement": st.integers(-1, 3) | st.none()},
)
bodies = st.lists(rowlike | values, max_size=4).map(lambda rows: {"scores": rows}) | values


@given(body=bodies, escaped=st.booleans(), again=st.integers(0, 40))
def test_reading_fast_is_reading_strictly(body: object, escaped: bool, again: int) -> None:  # noqa: FBT001
    """What the fast way reads at all, the strict way reads alike; a field that stands twice is seen."""
    text = json.dumps(body, ensure_ascii=escaped)
    doubled = text.replace(', "actionId"', f', "actionId": "{again}", "actionId"', 1) if again > 20 else text
    raw = doubled.encode("utf-8", "surrogatepass")
    if _read_fast(raw) is not None:
        assert _read_slowly(raw) == rows_of(raw)


async def test_no_body_is_too_much_for_the_server(world: World) -> None:
    """200 or 400, never 500, whatever was sent before."""
    headers = [(b"content-type", b"application/json"), (b"authorization", f"Bearer {service(world)}".encode())]

    async def send(raw: bytes) -> None:
        sent = await ask(world.app, "POST", PATH, headers=headers, messages=[part(raw, last=True)])
        assert sent.status in (200, 400), sent.body

    @settings(max_examples=60, deadline=None)
    @given(raw=bodies.map(json.dumps).map(str.encode) | st.binary(max_size=60))
    def sent(raw: bytes) -> None:
        trio.from_thread.run(send, raw)

    await trio.to_thread.run_sync(sent)
    assert "request_failed" not in world.log.getvalue()


def test_a_batch_of_a_thousand_rows_is_read_the_fast_way() -> None:
    """As a game's server writes it."""
    rows = [row(f"{n:08x}-0000-4000-8000-000000000001", f"quest-{n}", scoreIncrement=1) for n in range(1000)]
    for separators in ((",", ":"), (", ", ": ")):
        raw = json.dumps({"scores": rows}, separators=separators).encode()
        fast = _read_fast(raw)
        assert fast is not None
        assert 1000 == len(fast)
        assert _read_slowly(raw) == rows_of(raw)


def test_reading_tells_api_errors_only() -> None:
    """Also of bodies at the edge of what the parsers take."""
    for raw in (b'{"scores":' + b"[" * 100_000, b'{"scores":[' + b"9" * 5_000 + b"]}", b"\xed\xa0\x80"):
        with pytest.raises(ApiError):
            rows_of(raw)


async def test_rows_that_are_refused_are_in_the_audit() -> None:
    """By service and code, however many there are; so is a batch that is refused as a whole."""
    async with running_world() as world:
        token, ada = service(world), await world.signed_up("Ada")
        rows = [row(ada.user_id, "q-1"), *(row(STRANGER, f"q-{number}") for number in range(2, 7)), {"userId": 7}]
        await results_of(await world.post(PATH, {"scores": rows}, token=token))
        await error_of(await world.post(PATH, {"scores": "all"}, token=token), "INVALID_INPUT")
    found = {(event.what, event.site): event for event in await world.audit.events()}
    assert {
        ("USER_NOT_FOUND", "POST /api/v1/scores/batch row"): 5,
        ("INVALID_INPUT", "POST /api/v1/scores/batch row"): 1,
        ("INVALID_INPUT", "POST /api/v1/scores/batch"): 1,
    } == {kind: event.times for kind, event in found.items()}
    assert {("service:arena", None)} == {(event.done_by, event.user_id) for event in found.values()}
