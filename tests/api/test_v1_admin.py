"""What those in charge may do to players."""

from __future__ import annotations

from typing import Any

import pytest
from quart import Response

from actors.ports import Consequence, EventId, FraudEvent, Severity, UserId
from tests.api.world import Me, World

NOW_US = 1_790_000_000_000_000
WHY = "Three reports of the same trick."


def promoted(world: World, me: Me, role: str) -> str:
    """An access token of that player with another role."""
    world.players.rows[UserId(me.user_id)].role = role
    return world.given.tokens.issue(user_id=me.user_id, username=me.username, role=role, session_id=f"s-{me.username}")


async def ada_and(world: World, role: str) -> tuple[Me, str]:
    """A player, and an access token of somebody in charge."""
    ada, other = await world.signed_up("ada"), await world.signed_up("other")
    return ada, promoted(world, other, role)


async def told(response: Response) -> Any:
    """What a success tells."""
    answer = await response.get_json()
    assert 200 == response.status_code, answer
    return answer["data"]


async def test_a_moderator_bans_and_lifts(world: World) -> None:
    """It is told how the player stood and stands; who is banned is on no board, and comes back."""
    ada, token = await ada_and(world, "moderator")
    path = f"/api/v1/admin/users/{ada.user_id}"
    for banned in (True, False):
        change = await told(await world.post(f"{path}/standing", {"banned": banned, "reason": WHY}, token=token))
        assert (not banned, banned) == (change["before"]["banned"], change["after"]["banned"])
        seen = await told(await world.get(path, token=token))
        assert ("ada", "user", banned) == (seen["username"], seen["role"], seen["standing"]["banned"])


async def test_a_restriction_has_an_end_and_can_be_lifted(world: World) -> None:
    """A time in words, or null; what is no time changes nothing."""
    ada, token = await ada_and(world, "moderator")
    path = f"/api/v1/admin/users/{ada.user_id}/standing"
    until = "2026-12-01T00:00:00.000Z"
    for said in (until, None):
        change = await told(await world.post(path, {"restrictedUntil": said, "reason": WHY}, token=token))
        assert said == change["after"]["restrictedUntil"]
    wrong = await world.post(path, {"restrictedUntil": "tomorrow", "reason": WHY}, token=token)
    assert 400 == wrong.status_code


async def test_tier_and_reputation_are_given_and_taken(world: World) -> None:
    """Others than there are change nothing."""
    ada, mod = await world.signed_up("ada"), await world.signed_up("mod")
    token, path = promoted(world, mod, "moderator"), f"/api/v1/admin/users/{ada.user_id}/standing"
    for tier, reputation in (("premium", -100), ("free", 100)):
        said = {"tier": tier, "reputation": reputation}
        change = await told(await world.post(path, {**said, "reason": WHY}, token=token))
        assert (tier, reputation) == (change["after"]["tier"], change["after"]["reputation"])
    before = world.state()
    for wrong in ({"tier": "golden"}, {"reputation": 101}, {"reputation": -101}, {"reputation": 0.5}, {"tier": None}):
        assert 400 == (await world.post(path, {**wrong, "reason": WHY}, token=token)).status_code
    assert before == world.state()


@pytest.mark.parametrize("role", ["user", "premium"])
async def test_an_admin_gives_roles(role: str, world: World) -> None:
    """And takes them; the player signs in anew."""
    ada, chief = await world.signed_up("ada"), await world.signed_up("chief")
    promoted(world, ada, "moderator")
    token = promoted(world, chief, "admin")
    path = f"/api/v1/admin/users/{ada.user_id}/role"
    change = await told(await world.post(path, {"role": role, "reason": WHY}, token=token))
    assert {"before": "moderator", "after": role} == change
    assert role == world.players.rows[UserId(ada.user_id)].role
    assert world.accounts.ended


@pytest.mark.parametrize(("actor", "other"), [("moderator", "moderator"), ("moderator", "admin"), ("admin", "admin")])
@pytest.mark.parametrize("what", ["standing", "sessions/end", "role"])
async def test_nobody_acts_on_an_equal_or_a_higher_role(what: str, actor: str, other: str, world: World) -> None:
    """Nor on oneself; nothing changes."""
    ada, mod = await world.signed_up("ada"), await world.signed_up("mod")
    promoted(world, ada, other)
    token = promoted(world, mod, actor)
    body = {"role": "user", "reason": WHY} if what == "role" else {"reason": WHY}
    before = world.state()
    for target in (ada, mod):
        refused = await world.post(f"/api/v1/admin/users/{target.user_id}/{what}", body, token=token)
        assert 403 == refused.status_code
    assert before == world.state()


async def test_sessions_of_a_player_are_ended(world: World) -> None:
    """All of them; its tokens are refused from then on."""
    ada, token = await ada_and(world, "moderator")
    path = f"/api/v1/admin/users/{ada.user_id}/sessions/end"
    assert {"ended": 1} == await told(await world.post(path, {"reason": WHY}, token=token))
    assert 401 == (await world.get("/api/v1/users/me", token=ada.access)).status_code


@pytest.mark.parametrize("body", [{"banned": True}, {"banned": True, "reason": ""}, {"score": 7, "reason": WHY}])
async def test_an_act_needs_a_reason_and_known_fields(body: dict[str, Any], world: World) -> None:
    """Nothing changes otherwise."""
    ada, token = await ada_and(world, "moderator")
    before = world.state()
    refused = await world.post(f"/api/v1/admin/users/{ada.user_id}/standing", body, token=token)
    assert 400 == refused.status_code
    assert before == world.state()


async def test_the_audit_tells_of_a_standing_that_was_changed(world: World) -> None:
    """Who did it, to whom, and why."""
    ada, chief = await world.signed_up("ada"), await world.signed_up("chief")
    token = promoted(world, chief, "admin")
    await world.post(f"/api/v1/admin/users/{ada.user_id}/standing", {"flagged": True, "reason": WHY}, token=token)
    page = await told(await world.get(f"/api/v1/admin/audit?userId={ada.user_id}", token=token))
    [event] = page["events"]
    assert (f"user:{chief.user_id}", ada.user_id, WHY, "act") == (
        *(event["by"], event["userId"]),
        *(event["why"], event["kind"]),
    )


@pytest.mark.parametrize(
    ("path", "body", "what", "details"),
    [
        ("role", {"role": "premium"}, "ROLE_CHANGED", {"before": "user", "after": "premium"}),
        ("sessions/end", {}, "SESSIONS_ENDED", {"ended": 1}),
    ],
)
async def test_the_audit_tells_of_an_act_once_it_is_done(
    path: str, body: dict[str, Any], what: str, details: dict[str, Any], world: World
) -> None:
    """It is there when the act is answered; what was refused is no act."""
    ada, chief = await world.signed_up("ada"), await world.signed_up("chief")
    token, there = promoted(world, chief, "admin"), f"/api/v1/admin/users/{ada.user_id}/{path}"
    assert 200 == (await world.post(there, {**body, "reason": WHY}, token=token)).status_code
    [event] = (await told(await world.get(f"/api/v1/admin/audit?userId={ada.user_id}", token=token)))["events"]
    assert (what, details, f"user:{chief.user_id}", WHY, "act") == (
        *(event["what"], event["details"]),
        *(event["by"], event["why"], event["kind"]),
    )
    assert f"POST /api/v1/admin/users/{{userId}}/{path}" == event["site"]


ACTS: dict[str, dict[str, Any]] = {"standing": {"banned": True}, "role": {"role": "moderator"}, "sessions/end": {}}


@pytest.mark.parametrize("kept", ["kept", "lost"])
@pytest.mark.parametrize("path", ACTS)
async def test_an_act_with_a_key_is_done_once(path: str, kept: str, world: World) -> None:
    """The first answer again, though the player stands otherwise by now; on another player the key is another one."""
    ada, bob, chief = [await world.signed_up(name) for name in ("ada", "bob", "chief")]
    token, body = promoted(world, chief, "admin"), {**ACTS[path], "reason": WHY}
    world.kept.away = kept == "lost"

    async def act(on: Me, body: dict[str, Any] = body) -> Response:
        there = f"/api/v1/admin/users/{on.user_id}/{path}"
        return await world.post(there, body, token=token, headers={"Idempotency-Key": "key"})

    first = await told(await act(ada))
    undone: dict[str, dict[str, Any]] = {"standing": {"banned": False}, "role": {"role": "user"}, "sessions/end": {}}
    undo = undone[path]
    assert (
        200
        == (
            await world.post(f"/api/v1/admin/users/{ada.user_id}/{path}", {**undo, "reason": WHY}, token=token)
        ).status_code
    )
    before = world.state()
    again = await act(ada)
    assert ("true" if kept == "kept" else None) == again.headers.get("Idempotency-Replayed")
    assert first == await told(again)
    assert before == world.state()
    if kept == "kept":
        assert 422 == (await act(ada, {**body, "reason": "another"})).status_code
    assert first == await told(await act(bob))
    assert before != world.state()


@pytest.mark.parametrize("kept", ["kept", "lost"])
async def test_another_act_with_the_key_of_one_before_is_never_told_to_be_done_unless_it_is(
    kept: str, world: World
) -> None:
    """It is refused, or, where nobody remembers what that key was for, done."""
    ada, token = await ada_and(world, "moderator")
    path, key = f"/api/v1/admin/users/{ada.user_id}/standing", {"Idempotency-Key": "key"}
    world.kept.away = kept == "lost"
    await told(await world.post(path, {"flagged": True, "reason": WHY}, token=token, headers=key))
    again = await world.post(path, {"banned": True, "reason": WHY}, token=token, headers=key)
    banned = world.players.rows[UserId(ada.user_id)].standing.banned
    assert (422, False) == (again.status_code, banned) if kept == "kept" else (await told(again))["after"]["banned"]
    assert banned == (kept == "lost")


async def test_a_lost_answer_of_a_promotion_to_ones_own_role_is_told_again(world: World) -> None:
    """By now the player is an equal, on whom one may not act."""
    ada, chief = await world.signed_up("ada"), await world.signed_up("chief")
    token, body = promoted(world, chief, "admin"), {"role": "admin", "reason": WHY}
    path, world.kept.away = f"/api/v1/admin/users/{ada.user_id}/role", True
    for _ in range(2):
        change = await told(await world.post(path, body, token=token, headers={"Idempotency-Key": "key"}))
        assert {"before": "user", "after": "admin"} == change
    assert 403 == (await world.post(path, body, token=token)).status_code


@pytest.mark.parametrize("who", ["x", "00000000-0000-4000-8000-000000000000"])
async def test_a_player_that_is_none_is_not_found(who: str, world: World) -> None:
    """Whatever is wanted of it."""
    token = promoted(world, await world.signed_up("chief"), "admin")
    assert 404 == (await world.get(f"/api/v1/admin/users/{who}", token=token)).status_code
    for what, body in (("standing", {"reason": WHY}), ("role", {"role": "user", "reason": WHY})):
        assert 404 == (await world.post(f"/api/v1/admin/users/{who}/{what}", body, token=token)).status_code


async def test_what_rules_found_is_told_in_pages(world: World) -> None:
    """Of all players or of one, by all rules or by one, with a sentence for people; nobody else sees it."""
    ada, mod = await world.signed_up("ada"), await world.signed_up("mod")
    token = promoted(world, mod, "moderator")
    rulings = [("rapid", Severity.HIGH, Consequence.FLAG), ("gap", Severity.MEDIUM, Consequence.LOG)]
    events = [
        FraudEvent(EventId(f"e{n}"), UserId((ada, mod)[n // 2].user_id), NOW_US + n, *rulings[n % 2], "Odd.", n + 1)
        for n in range(4)
    ]
    await world.fraud.record(events)

    async def found(asked: str) -> list[str]:
        page = await told(await world.get(f"/api/v1/admin/fraud{asked}", token=token))
        return [each["id"] for each in page["findings"]]

    assert ["e3", "e2", "e1", "e0"] == await found("")
    assert ["e1", "e0"] == await found(f"?userId={ada.user_id}")
    assert ["e2"] == await found("?rule=rapid&limit=1")
    assert ["e0"] == await found("?rule=rapid&offset=1")
    assert [] == await found("?rule=honeypot")
    [one] = (await told(await world.get("/api/v1/admin/fraud?rule=gap&limit=1", token=token)))["findings"]
    expected = {"userId": mod.user_id, "severity": "medium", "consequence": "log", "explanation": "Odd.", "times": 4}
    assert expected == {name: one[name] for name in expected}
    assert 400 == (await world.get("/api/v1/admin/fraud?rule=R;", token=token)).status_code
    assert 403 == (await world.get("/api/v1/admin/fraud", token=ada.access)).status_code
