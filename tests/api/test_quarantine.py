"""A player who is quarantined sees the own points as ever; nobody else sees the player on any board."""

from __future__ import annotations

from typing import Any

from actors.ledger.messages import ChangeStanding
from actors.ports import Act, EventId, EventKind, StandingChange, Stood, UserId
from actors.user.world import UserRules
from tests.api.v1 import Signed, earned, sign_up, update_body
from tests.api.world import Me, World, running_world


async def stand(world: World, who: Signed | Me, **changed: bool) -> None:
    """Impose or lift something."""
    act = Act(EventId(f"{who.username} {changed}"), 0, EventKind.ACT, "operator", "for a test")
    asked = ChangeStanding(UserId(who.user_id), StandingChange(**changed), act)  # type: ignore[arg-type]
    outcome = await world.core.standing.ask(asked, within=5)
    assert isinstance(outcome, Stood)


async def told(world: World, path: str, who: Signed | None = None) -> tuple[int, Any]:
    """Status and data of an answer."""
    response = await world.get(path, token=None if who is None else who.access)
    body = await response.get_json()
    return response.status_code, body.get("data", body)


async def test_only_the_player_itself_sees_its_points(world: World) -> None:
    """On every address that shows where players stand, also after a score; in the end all see them again."""
    ada, bob = await sign_up(world, "Ada"), await sign_up(world, "Bob")
    token = await earned(world, ada)
    await stand(world, ada, quarantined=True)
    updated = await world.post(
        "/api/v1/scores/update", update_body(world, ada), token=ada.access, headers={"X-Action-Token": token}
    )
    answer = (await updated.get_json())["data"]
    assert (1, 50) == (answer["rank"], answer["newScore"])
    for dialect in ("/api/v1/leaderboard/top", "/api/scores/top"):
        _, top = await told(world, dialect, bob)
        assert [bob.user_id] == [row["userId"] for row in top["leaderboard"]]
    _, top = await told(world, "/api/v1/leaderboard/top", ada)
    assert (1, ada.user_id, 50) == tuple(top["currentUser"][name] for name in ("rank", "userId", "score"))
    for path in (f"/api/v1/leaderboard/rank/{ada.user_id}", f"/api/v1/leaderboard/around/{ada.user_id}"):
        assert (404, 404) == ((await told(world, path, bob))[0], (await told(world, path))[0])
        assert 200 == (await told(world, path, ada))[0]
    _, around = await told(world, f"/api/v1/leaderboard/around/{ada.user_id}", ada)
    assert [(1, ada.user_id), (2, bob.user_id)] == [(row["rank"], row["userId"]) for row in around["leaderboard"]]
    assert 404 == (await told(world, f"/api/scores/user/{ada.user_id}", bob))[0]
    assert 1 == (await told(world, f"/api/scores/user/{ada.user_id}", ada))[1]["rank"]
    me = (await told(world, "/api/v1/users/me", ada))[1]
    assert (1, 50) == (me["rank"], me["score"])
    seen = (await told(world, f"/api/v1/users/{ada.user_id}", bob))[1]
    assert (None, None) == (seen["rank"], seen["score"])
    await stand(world, ada, quarantined=False)
    _, top = await told(world, "/api/v1/leaderboard/top", bob)
    assert [ada.user_id, bob.user_id] == [row["userId"] for row in top["leaderboard"]]


async def test_every_refusal_is_in_the_audit() -> None:
    """Who, from where, why and where, counted; a stranger by address, what no route wanted under one name."""
    async with running_world(rules=UserRules()) as world:
        ada = await sign_up(world, "Ada")
        for _ in range(2):
            await world.get("/api/v1/leaderboard/rank/nobody", token=ada.access)
        await world.post("/api/v1/auth/login", {"username": "Ada", "password": "wrong password 1"})
        await world.get("/nothing/here")
        await world.get("/nothing/there")
        assert 200 == (await world.get("/health")).status_code
    found = {(event.what, event.site): event for event in await world.audit.events()}
    assert {
        ("USER_NOT_FOUND", "GET /api/v1/leaderboard/rank/{userId}"): 2,
        ("INVALID_CREDENTIALS", "POST /api/v1/auth/login"): 1,
        ("NOT_FOUND", "GET unmatched"): 2,
    } == {kind: event.times for kind, event in found.items()}
    ranked = found["USER_NOT_FOUND", "GET /api/v1/leaderboard/rank/{userId}"]
    assert (f"user:{ada.user_id}", ada.user_id, EventKind.REFUSAL) == (ranked.done_by, ranked.user_id, ranked.kind)
    assert ranked.request_id
