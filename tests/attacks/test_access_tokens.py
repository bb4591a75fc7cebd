"""Access tokens that are forged, stripped, confused or swapped: none opens a door, and nothing changes by trying."""

from __future__ import annotations

import pytest

from scoreboard.security.errors import TokenInvalid
from tests.api.wire import ask
from tests.api.world import Me, World
from tests.attacks.forging import ATTACKS, Attack, Given, critical, encoded, parts_of

#: Where a player's token is asked for: to look, to score, to change, to enter the live feed, to leave.
DOORS = (
    ("GET", "/api/v1/users/me"),
    ("GET", "/api/v1/users/me/sessions"),
    ("POST", "/api/actions/token"),
    ("POST", "/api/v1/live/ticket"),
    ("DELETE", "/api/v1/users/me/sessions"),
    ("POST", "/api/auth/logout"),
)


async def knock(world: World, method: str, path: str, token: str) -> tuple[int, str]:
    """What is said to who comes with that token."""
    answer = await ask(world.app, method, path, headers=[(b"authorization", f"Bearer {token}".encode())])
    return answer.status, answer.body.decode()


def given(world: World, me: Me) -> Given:
    """What a player of this world knows, and more."""
    ticket = world.given.tickets.issue(world.given.tokens.verify(me.access)).text
    return Given(world.keys, me.access, (me.refresh, ticket))


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
async def test_no_forged_token_opens_a_door(attack: Attack, world: World) -> None:
    """Each is refused with the same words, at every door, and nothing is written."""
    me = await world.signed_up("ada")
    await world.point(me)
    before = world.state()
    for token in attack(given(world, me)):
        if token.isascii():
            for method, path in DOORS:
                status, told = await knock(world, method, path, token)
                assert 401 == status, (method, path, token[:120], told)
                assert "The access token is not valid." in told or "This needs an access token" in told
    assert before == world.state()
    assert 200 == (await world.get("/api/v1/users/me", token=me.access)).status_code


async def test_parts_of_two_good_tokens_make_no_third(world: World) -> None:
    """Ada's claims under Mallory's signature, and every other mixture."""
    ada, mallory = await world.signed_up("ada"), await world.signed_up("mallory")
    good = {ada.access, mallory.access}
    heads, claims, ends = (set(each) for each in zip(*(token.split(".") for token in good), strict=True))
    before = world.state()
    for token in {f"{head}.{body}.{end}" for head in heads for body in claims for end in ends} - good:
        assert 401 == (await world.get("/api/v1/users/me", token=token)).status_code
    assert before == world.state()


async def test_a_role_cannot_be_taken_by_changing_ones_token(world: World) -> None:
    """The claims are signed, and what a role may do follows from them alone."""
    ada, mallory = await world.signed_up("ada"), await world.signed_up("mallory")
    header, claims, signature = parts_of(mallory.access)
    before = world.state()
    for change in ({"role": "admin"}, {"permissions": ["players.moderate", "players.manage"]}, {"sub": ada.user_id}):
        token = f"{encoded(header)}.{encoded({**claims, **change})}.{signature}"
        body = {"banned": True, "reason": "because"}
        refused = await world.post(f"/api/v1/admin/users/{ada.user_id}/standing", body, token=token)
        assert 401 == refused.status_code
    assert before == world.state()


async def test_players_and_services_do_not_pass_for_each_other(world: World) -> None:
    """Their tokens have the same form and signature, and what they may do has nothing in common."""
    ada = await world.signed_up("ada")
    world.live.add(("arena", "0123456789abcdef"))
    expires_s = world.clock.now_us() // 1_000_000 + 60
    service = world.given.tokens.issue_for_service("arena", "0123456789abcdef", expires_s=expires_s)
    row = {"userId": ada.user_id, "actionId": "a", "actionType": "INCREMENT"}
    before = world.state()
    for method, path in DOORS:
        assert 403 == (await knock(world, method, path, service))[0], path
    assert 403 == (await world.post("/api/v1/scores/batch", {"scores": [row]}, token=ada.access)).status_code
    assert before == world.state()


async def test_a_token_of_before_its_session_ended_opens_nothing(world: World) -> None:
    """A logout takes back what was handed out, however long it would have been good."""
    me = await world.signed_up("ada")
    assert 200 == (await world.post("/api/auth/logout", token=me.access)).status_code
    before = world.state()
    for method, path in DOORS:
        assert 401 == (await knock(world, method, path, me.access))[0]
    refreshed = await world.post("/api/auth/refresh", {"refreshToken": me.refresh})
    assert 401 == refreshed.status_code
    assert before == world.state()


async def test_what_we_sign_for_others_is_judged_like_any_token(world: World) -> None:
    """The reason stands in the log alone: the sender learns nothing of what was wrong."""
    me = await world.signed_up("ada")
    for token in critical(given(world, me)):
        with pytest.raises(TokenInvalid) as refused:
            world.given.tokens.verify(token)
        assert "crit" in refused.value.reason.lower() or "critical" in refused.value.reason.lower()
