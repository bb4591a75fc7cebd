"""Accounts and sessions, in the words of both documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scoreboard.api import around
from scoreboard.api.auth import AuthRoutes, LoginBody, RefreshBody, RegisterBody
from scoreboard.api.dialects import speaks_b
from scoreboard.api.granted import SessionsOfA, SessionsOfB
from scoreboard.api.route import Access, Link, Route, Told
from scoreboard.api.shapes import accounts as shapes
from scoreboard.api.shapes.parts import Enveloped
from scoreboard.api.v1 import boards, users
from scoreboard.api.world import ApiWorld

ADA = {"username": "Ada", "email": "ada@example.org", "password": "a long enough secret"}
KEPT = ("Idempotency-Replayed",)
OF_A_PLAYER = (users.PATH, boards.RANK_PATH, around.PATH, "/api/scores/user/{userId}")


def routes(world: ApiWorld) -> Iterator[Route]:
    """Register, login, refresh, logout; twice."""
    of_a, of_b = AuthRoutes(world, SessionsOfA()), AuthRoutes(world, SessionsOfB())
    enveloped = Enveloped
    yield from _routes("/api/auth", of_a, shapes.Registered, shapes.Tokens, shapes.Done)
    session = enveloped[shapes.Session]
    yield from _routes("/api/v1/auth", of_b, session, session, enveloped[None])


def _routes(under: str, auth: AuthRoutes, registered: Any, signed_in: Any, signed_out: Any) -> Iterator[Route]:
    data = "/data" if speaks_b(under) else ""
    renewed = Link("POST", f"{under}/refresh", body={"refreshToken": f"{data}/refreshToken"})
    seen = tuple(Link("GET", path, {"userId": f"{data}/userId"}) for path in OF_A_PLAYER)
    yield Route(
        *("POST", f"{under}/register", auth.register),
        says="Make an account, and sign in.",
        access=Access.ANYBODY,
        answers=(Told(registered, 201, headers=KEPT, links=(renewed, *seen)),),
        faults=("USERNAME_TAKEN", "EMAIL_TAKEN", "USER_BANNED"),
        body=RegisterBody,
        example=ADA,
        idempotent=True,
    )
    yield Route(
        *("POST", f"{under}/login", auth.login),
        says="Sign in: a new session.",
        access=Access.ANYBODY,
        answers=(Told(signed_in, links=(renewed,)),),
        faults=("INVALID_CREDENTIALS", "USER_BANNED"),
        body=LoginBody,
        example={"username": ADA["username"], "password": ADA["password"]},
    )
    yield Route(
        *("POST", f"{under}/refresh", auth.refresh),
        says="Exchange a refresh token for the next pair of tokens.",
        access=Access.ANYBODY,
        answers=(Told(signed_in, links=(renewed,)),),
        faults=("REFRESH_TOKEN_EXPIRED", "REFRESH_TOKEN_INVALID", "USER_BANNED"),
        body=RefreshBody,
        example={"refreshToken": "l8Q2…"},
    )
    yield Route(
        *("POST", f"{under}/logout", auth.logout),
        says="End this session; its tokens are refused from now on.",
        answers=(Told(signed_out),),
        access=Access.PLAYER,
    )
