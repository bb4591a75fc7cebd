from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec
import pytest

from scoreboard.api.errors import ApiError, not_found
from scoreboard.api.faults import faults_of
from scoreboard.api.route import Access, Route, Told
from scoreboard.api.shapes.accounts import Done
from tests.api.declared import verify
from tests.api.wire import ask
from tests.api.world import World
from tests.references import follow_references

DOCUMENT = "/api/openapi.json"


async def described(world: World) -> Any:
    """The document."""
    return msgspec.json.decode((await ask(world.app, "GET", DOCUMENT)).body)


async def test_nothing_is_served_that_is_not_declared(world: World) -> None:
    """Every rule of the router has its declaration."""
    assert {rule.endpoint for rule in world.app.url_map.iter_rules()} == set(world.app.routes)


async def test_every_route_under_api_is_described(world: World) -> None:
    """Only pages, files and the description itself are left out."""
    paths = (await described(world))["paths"]
    served = {(route.path, route.method.lower()) for route in world.app.routes.values() if route.shown}
    hidden = {route.path for route in world.app.routes.values() if not route.shown}
    assert served == {(path, method) for path, told in paths.items() for method in told}
    assert not [
        path
        for path in hidden
        if path.startswith("/api/")
        and path not in {DOCUMENT, "/api/asyncapi.json"}
        and not path.startswith("/api/docs")
    ]


async def test_every_status_that_a_route_answers_is_described(world: World) -> None:
    """What it tells, and all errors that follow from its declaration; nothing else."""
    paths = (await described(world))["paths"]
    for route in filter(lambda each: each.shown, world.app.routes.values()):
        answered = {told.status for told in route.answers} | {*faults_of(route)}
        assert {str(status) for status in answered} == set(paths[route.path][route.method.lower()]["responses"])


async def test_the_description_is_sent_once(world: World) -> None:
    """It does not change while the server runs."""
    first = await ask(world.app, "GET", DOCUMENT)
    again = await ask(world.app, "GET", DOCUMENT, headers=[(b"if-none-match", first.headers["etag"].encode())])
    assert (200, "application/json", 304, b"") == (
        *(first.status, first.headers["content-type"]),
        *(again.status, again.body),
    )


async def test_every_reference_leads_somewhere(world: World) -> None:
    """Nothing is mentioned that is not there."""
    document = await described(world)

    follow_references(document, document)


async def test_examples_are_bodies_that_can_be_read(world: World) -> None:
    """Who copies one is understood."""
    for route in world.app.routes.values():
        assert (route.body is None) == (route.example is None), route.path
        if route.body is not None:
            msgspec.convert(route.example, route.body)


async def test_who_must_have_signed_in_is_described(world: World) -> None:
    """As it is held."""
    for path, told in (await described(world))["paths"].items():
        for method, operation in told.items():
            answered = await ask(world.app, method.upper(), path.replace("{userId}", "nobody"))
            needed = operation["security"] not in ([], [{}, {"accessToken": []}])
            assert needed == (answered.status == HTTPStatus.UNAUTHORIZED), path


@pytest.mark.parametrize(
    "given",
    [
        ApiError(418, "I am a teapot", "TEAPOT", "No coffee.").answer(),
        not_found().answer(),
    ],
)
def test_an_answer_that_is_not_declared_is_noticed(given: Any) -> None:
    """By status and by code; so all tests of the routes hold the declarations too."""

    async def nothing(_: Any) -> Any:
        raise AssertionError

    with pytest.raises(AssertionError):
        verify(Route("GET", "/api/x", nothing, "Nothing.", (Told(Done),), access=Access.ANYBODY), given)
