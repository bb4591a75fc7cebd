"""Every route against every role, and against what belongs to somebody else. The tables come from the routes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from typing import Any

import msgspec
import pytest

from scoreboard.api.route import Access, Route
from scoreboard.security.roles import ROLES
from tests.api.wire import Sent, ask, part
from tests.api.world import DOCS, World

CALLERS = ("nobody", *ROLES, "service")
#: Who gets past which door. Whoever is not named here is refused.
LET_IN = {
    Access.ANYBODY: CALLERS,
    Access.SPECTATOR: ("nobody", *ROLES),
    Access.PLAYER: ROLES,
    Access.SERVICE: ("service",),
    Access.MODERATOR: ("moderator", "admin"),
    Access.ADMIN: ("admin",),
}
#: Where 401 is said of what stands in the body.
OWN_PROOFS = ("/login", "/refresh", "/password")
#: A session for each token: some routes end theirs.
SESSIONS = count(1)
STRANGER = "00000000-0000-4000-8000-00000000dead"


def token_of(world: World, role: str, user_id: str = STRANGER) -> str | None:
    """An access token of somebody with that role."""
    tokens = world.given.tokens
    if role == "nobody":
        return None
    if role == "service":
        world.live.add(("arena", "0123456789abcdef"))
        return tokens.issue_for_service("arena", "0123456789abcdef", expires_s=world.clock.now_us() // 1_000_000 + 60)
    return tokens.issue(user_id=user_id, username="Mallory", role=role, session_id=f"session {next(SESSIONS)}")


def address_of(route: Route, owner: str = STRANGER) -> str:
    """The route's path with something in the place of each variable."""
    path = route.path.replace("{name:path}", "x").replace("{userId}", owner)
    return re.sub(r"\{\w+\}", STRANGER, path)


async def outcome(world: World, route: Route, role: str) -> int:
    """The status that somebody of that role hears, who sends the body that the description shows."""
    return (await heard(world, route, role)).status


async def heard(world: World, route: Route, role: str) -> Sent:
    """The same with its body."""
    token = token_of(world, role)
    headers = [] if token is None else [(b"authorization", f"Bearer {token}".encode())]
    body = b""
    if route.example is not None:
        body = msgspec.json.encode(route.example)
        headers.append((b"content-type", b"application/json"))
    sent = [part(body, last=True)]
    return await ask(world.app, route.method, address_of(route), headers=headers, messages=sent)


async def test_every_route_lets_in_whom_it_names_and_nobody_else(world: World) -> None:
    """401 for who does not say who it is, 403 for who may not; whoever is let in may still be told anything else."""
    for route in world.app.routes.values():
        for role in CALLERS:
            status = await outcome(world, route, role)
            if role in LET_IN[route.access]:
                assert status != 401 or route.path.endswith(OWN_PROOFS), (route.path, role)
            else:
                assert (401 if role == "nobody" else 403) == status, (route.method, route.path, role)


async def test_who_may_not_ask_learns_nothing_of_what_could_be_asked(world: World) -> None:
    """A stranger's senseless query, key and body hear 401 where a token is asked for, and a wrong role's 403."""
    for route in world.app.routes.values():
        for role in set(CALLERS) - set(LET_IN[route.access]):
            token = token_of(world, role)
            headers = [(b"idempotency-key", b""), (b"content-type", b"application/json")]
            headers += [] if token is None else [(b"authorization", f"Bearer {token}".encode())]
            sent, query = [part(b"{", last=True)], b"limit=x&limit=y&nonsense"
            answer = await ask(world.app, route.method, address_of(route), query=query, headers=headers, messages=sent)
            assert (401 if role == "nobody" else 403) == answer.status, (route.method, route.path, role)


async def test_whoever_is_refused_changes_nothing(world: World) -> None:
    """On no route, by no role."""
    await world.signed_up("ada")
    before = world.state()
    for route in world.app.routes.values():
        for role in set(CALLERS) - set(LET_IN[route.access]):
            await outcome(world, route, role)
    assert before == world.state()


def test_a_route_without_access_cannot_be_built() -> None:
    """Nothing is open because somebody forgot to close it."""
    with pytest.raises(TypeError, match="access"):
        Route("GET", "/x", lambda _: None, "Nothing.")  # type: ignore[call-arg,arg-type,return-value]


def rows_of(page: str) -> Iterator[tuple[str, str]]:
    """Method and path, and who may, as the page shows them."""
    for line in page.splitlines():
        found = re.fullmatch(r"\| `(\w+ /[^`]*)` \| ([a-z ,]+) \|", line)
        if found is not None:
            yield found[1], found[2]


async def test_the_page_on_security_shows_every_route(world: World) -> None:
    """With who may use it: what is written there by hand is what is served."""
    written = dict(rows_of((DOCS / "security.md").read_text(encoding="utf-8")))
    served = {f"{route.method} {route.path}": route.access.name.lower() for route in world.app.routes.values()}
    assert written == served


def owned(world: World) -> Iterator[Route]:
    """Routes with something in their path that may be somebody's."""
    return (route for route in world.app.routes.values() if re.search(r"\{\w+\}", route.path))


async def test_a_player_gets_at_nothing_of_another_by_its_id(world: World) -> None:
    """On every route whose path names something: what is not public is refused or not found, and nothing changes."""
    ada, mallory = await world.signed_up("ada"), await world.signed_up("mallory")
    listed = await (await world.get("/api/v1/users/me/sessions", token=ada.access)).get_json()
    session = listed["data"]["sessions"][0]["id"]
    before = world.state()
    for route in owned(world):
        path = route.path.replace("{userId}", ada.user_id).replace("{sessionId}", session)
        headers: list[tuple[bytes, bytes]] = [(b"authorization", f"Bearer {mallory.access}".encode())]
        body = b"" if route.example is None else msgspec.json.encode(route.example)
        headers += [] if route.example is None else [(b"content-type", b"application/json")]
        answer = await ask(world.app, route.method, path, headers=headers, messages=[part(body, last=True)])
        if route.access in {Access.ANYBODY, Access.SPECTATOR}:
            assert "ada@example.org" not in answer.body.decode()
        else:
            assert answer.status in {403, 404}, (route.method, path)
    assert before == world.state()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (
            "/api/v1/scores/update",
            {
                "actionType": "INCREMENT",
                "actionId": "11111111-2222-4333-8444-555555555555",
                "scoreIncrement": 1,
                "timestamp": "2026-01-31T12:00:00.000Z",
                "clientSignature": "0" * 64,
            },
        ),
    ],
)
async def test_nobody_scores_for_another(path: str, body: dict[str, Any], world: World) -> None:
    """A body that names another player is refused before anything else of it is looked at."""
    ada, mallory = await world.signed_up("ada"), await world.signed_up("mallory")
    before = world.state()
    answer = await world.post(path, {**body, "userId": ada.user_id}, token=mallory.access)
    assert 403 == answer.status_code
    assert before == world.state()


@pytest.mark.parametrize(
    "path",
    ["/api/actions/token", "/api/scores/increment", "/api/v1/actions/complete", "/api/v1/scores/update"],
)
async def test_a_role_that_nobody_knows_may_not_score(world: World, path: str) -> None:
    """On no way to a score: it has no permission at all."""
    route = next(each for each in world.app.routes.values() if (each.method, each.path) == ("POST", path))
    told = await heard(world, route, "emperor")
    assert 403 == told.status
    if not path.endswith("/update"):  # the example is of another player
        assert b"may not update scores" in told.body
        assert b"may not update scores" not in (await heard(world, route, "user")).body
