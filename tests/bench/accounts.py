"""Players for the load generators, made through the public API, and what the server says of them afterwards."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Account:
    """A registered player."""

    user_id: str
    token: str
    score: int = 0


class ApiRefused(Exception):
    """The server did not do what the bench needs before it can measure."""


def register(port: int, count: int) -> list[Account]:
    """So many new players without a point."""
    granted = _registered(port, count, "/api/auth/register")
    return [Account(each["userId"], each["accessToken"]) for each in granted]


def signed_up(port: int, count: int) -> list[dict[str, Any]]:
    """The same as document B has it, with the `secret` of each client's signature."""
    granted = [each["data"] for each in _registered(port, count, "/api/v1/auth/register")]
    return [
        {"user_id": each["userId"], "token": each["accessToken"], "secret": each["clientSecret"], "score": 0}
        for each in granted
    ]


def _registered(port: int, count: int, path: str) -> list[Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60.0)
    granted = []
    for number in range(count):
        name = f"bench{number:05d}"
        body = {"username": name, "email": f"{name}@example.com", "password": f"{name}-Passw0rd!"}
        granted.append(_call(connection, "POST", path, body))
    connection.close()
    return granted


def scores(port: int, user_ids: list[str]) -> dict[str, int]:
    """Every player's score as the server has it now."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60.0)
    found = {user_id: int(_call(connection, "GET", f"/api/scores/user/{user_id}")["score"]) for user_id in user_ids}
    connection.close()
    return found


def ask_once(port: int, path: str, within: float = 1.0) -> tuple[int, Any]:
    """Status and body of a GET on a connection of its own; 0 when there was no answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=within)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    except (OSError, http.client.HTTPException):
        return 0, None
    finally:
        connection.close()


def _call(connection: http.client.HTTPConnection, method: str, path: str, body: Any = None) -> Any:
    headers = {"Content-Type": "application/json"} if body is not None else {}
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    answer = connection.getresponse()
    content = answer.read()
    if answer.status >= 300:
        raise ApiRefused(f"{method} {path}: {answer.status} {content[:300]!r}")
    return json.loads(content)
