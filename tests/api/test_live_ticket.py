from __future__ import annotations

from tests.api.world import World

PATH = "/api/v1/live/ticket"


async def test_a_player_gets_a_ticket_that_no_cache_keeps(world: World) -> None:
    """In document B's envelope; it speaks for the same player and session as the access token."""
    player = await world.signed_up("Ann")
    response = await world.post(PATH, token=player.access)
    body = await response.get_json()
    assert (response.status_code, response.headers["cache-control"]) == (200, "no-store")
    assert (body["success"], body["data"]["expiresIn"]) == (True, 30)
    caller = await world.given.tickets.redeem(body["data"]["ticket"])
    assert caller == world.given.tokens.verify(player.access)


async def test_nobody_gets_a_ticket_without_signing_in(world: World) -> None:
    """401; and a request that says more than it may is told so."""
    assert (await world.post(PATH)).status_code == 401
    player = await world.signed_up("Ann")
    assert (await world.post(PATH, {"x": 1}, token=player.access)).status_code == 400
