"""The description of the API, OpenAPI 3.1, made from the declarations that serve it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from typing import Any

import msgspec

from scoreboard.api.dialects import V1, speaks_b
from scoreboard.api.faults import faults_of
from scoreboard.api.gate import API
from scoreboard.api.route import JSON_TYPE, Access, Link, Route
from scoreboard.api.shapes.parts import ErrorOfA, ErrorOfB
from scoreboard.api.shapes.scores import RowCounted, RowRefused
from scoreboard.wire.texts import UUID

Json = dict[str, Any]

ABOUT = """\
A live scoreboard. `/api` and `/api/v1` are two dialects of one server: the same players, tokens, scores and boards.
The live feed (WebSocket, server-sent events, Socket.IO) is described in [AsyncAPI](asyncapi.json);
[the documents](/docs) say more of both."""
SCHEMAS = "#/components/schemas/{name}"
_COUNT: Json = {"type": "integer", "minimum": 0}
_HEADERS: Mapping[str, Json] = {
    "X-Request-Id": {"description": "The log of the server names the same.", "schema": {"type": "string"}},
    "ETag": {"description": "Weak: it covers what is told, not the moment.", "schema": {"type": "string"}},
    "Cache-Control": {"description": "How long it may be kept.", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}},
    "X-RateLimit-Limit": {"description": "How many requests the tightest limit allows.", "schema": _COUNT},
    "X-RateLimit-Remaining": {"description": "How many of them are left.", "schema": _COUNT},
    "X-RateLimit-Reset": {"description": "When all are there again, in seconds since 1970.", "schema": _COUNT},
    "RateLimit-Policy": {
        "description": "Each limit that the request counted for: its name, how many (`q`) in how many seconds (`w`).",
        "schema": {"type": "string", "examples": ['"address";q=100;w=60']},
    },
    "RateLimit": {
        "description": "The same names, with how many are left (`r`) and the seconds until all are there again (`t`).",
        "schema": {"type": "string", "examples": ['"address";r=97;t=42']},
    },
    "Idempotency-Replayed": {"description": "`true`: this was answered before.", "schema": {"const": "true"}},
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same request with the same key happens once.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
}
_WHO: Mapping[Access, list[Json]] = {
    Access.ANYBODY: [],
    Access.SPECTATOR: [{}, {"accessToken": []}],
    Access.PLAYER: [{"accessToken": []}],
    Access.SERVICE: [{"serviceToken": []}],
    Access.MODERATOR: [{"accessToken": []}],
    Access.ADMIN: [{"accessToken": []}],
}


def document(routes: Iterable[Route]) -> Json:
    """All routes that are shown."""
    shown = [route for route in routes if route.shown]
    references, components = _schemas(shown)
    paths: dict[str, Json] = {}
    for route in shown:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, references)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Scoreboard", "version": version("scoreboard"), "description": ABOUT},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": components, "headers": dict(_HEADERS), "securitySchemes": _schemes()},
    }


def _schemas(routes: Iterable[Route]) -> tuple[dict[Any, Json], Json]:
    """The schema of each shape, by shape, and all that they refer to, by name."""
    wanted: list[Any] = [ErrorOfA, ErrorOfB, RowCounted, RowRefused]
    for route in routes:
        wanted += [shape for told in route.answers for shape in told.shapes]
        wanted += [] if route.body is None else [route.body]
    made, components = msgspec.json.schema_components(wanted, ref_template=SCHEMAS)
    return dict(zip(wanted, made, strict=True)), components


def _operation(route: Route, references: Mapping[Any, Json]) -> Json:
    told: Json = {
        "operationId": _id(route.method, route.path),
        "tags": [_tag(route)],
        "summary": route.says,
        "security": _WHO[route.access],
        "parameters": [*_parameters(route)],
        "responses": {**_answers(route, references), **_errors(route)},
    }
    if route.body is not None:
        content: Json = {"schema": references[route.body]}
        if route.example is not None:
            content["example"] = route.example
        told["requestBody"] = {"required": True, "content": {JSON_TYPE: content}}
    return told


def _id(method: str, path: str) -> str:
    return "_".join([method.lower(), *re.findall(r"\w+", path.replace("-", "_"))])


def _tag(route: Route) -> str:
    if not route.path.startswith("/api/"):
        return "operators"
    return "/api/v1" if speaks_b(route.path) else "/api"


def _parameters(route: Route) -> Iterator[Json]:
    for name in re.findall(r"\{(\w+)\}", route.path):
        yield {"name": name, "in": "path", "required": True, "schema": _PATH_ID}
    for name, rule in (route.query or {}).items():
        schema = {key: value for key, value in rule.schema.items() if value is not None}
        yield {"name": name, "in": "query", "schema": schema}
    for name, purpose in route.headers.items():
        yield {"name": name, "in": "header", "description": purpose, "schema": {"type": "string"}}
    if route.idempotent:
        yield _KEY


def _answers(route: Route, references: Mapping[Any, Json]) -> Json:
    found = {}
    for told in route.answers:
        schemas = [references[shape] for shape in told.shapes] or [{"type": "string"}]
        schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
        content = {} if told.media is None else {"content": {told.media: {"schema": schema}}}
        links = {"links": {_id(link.method, link.path): _link(link) for link in told.links}} if told.links else {}
        found[str(told.status)] = {
            "description": _PHRASES[told.status],
            "headers": _named((*told.headers, *_limits(route))),
            **content,
            **links,
        }
    return found


def _link(link: Link) -> Json:
    told: Json = {"operationId": _id(link.method, link.path)}
    if link.given:
        told["parameters"] = {name: f"$response.body#{where}" for name, where in link.given.items()}
    if link.body is not None:
        told["requestBody"] = {name: f"$response.body#{where}" for name, where in link.body.items()}
    return told


def _errors(route: Route) -> Json:
    found = {}
    declared = {told.status for told in route.answers}
    for status, codes in faults_of(route).items():
        if status in declared:
            continue
        headers = (*(("Retry-After",) if status in _WAITS else ()), *_limits(route))
        content = {JSON_TYPE: {"schema": _error_schema(route.path, codes)}}
        described = {"description": ", ".join(f"`{code}`" for code in codes)}
        found[str(status)] = {**described, "headers": _named(headers), "content": content}
    return found


def _error_schema(path: str, codes: list[str]) -> Json:
    """An error with one of these codes."""
    code = {"properties": {"code": {"enum": codes}}}
    if path.startswith(V1):
        return {"allOf": [{"$ref": SCHEMAS.format(name="ErrorOfB")}, {"properties": {"error": code}}]}
    return {"allOf": [{"$ref": SCHEMAS.format(name="ErrorOfA")}, code]}


def _limits(route: Route) -> tuple[str, ...]:
    return RATE_LIMITS if route.path.startswith(API) else ()


def _named(headers: Iterable[str]) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-Id", *headers)}


def _schemes() -> Json:
    bearer = {"type": "http", "scheme": "bearer"}
    return {
        "accessToken": {**bearer, "bearerFormat": "JWT", "description": "Of register, login or refresh."},
        "serviceToken": {**bearer, "bearerFormat": "JWT", "description": "Of `scoreboard service add`."},
    }


EXAMPLE_ID = "9f3c1d2e-4b5a-4c6d-8e7f-0a1b2c3d4e5f"
#: All that stands in paths are ids of players; others are nobody's.
_PATH_ID = {
    "type": "string",
    "pattern": f"^{UUID}$",
    "examples": [EXAMPLE_ID],
}
RATE_LIMITS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "RateLimit-Policy", "RateLimit")
_WAITS = frozenset({429, 503})
_PHRASES = {200: "As asked.", 201: "Made.", 304: "The client has it already.", 503: "Something is missing."}
