"""A player's own sessions."""

from __future__ import annotations

from collections.abc import Iterator

from scoreboard.api.route import Access, Route, Told
from scoreboard.api.shapes import accounts as shapes
from scoreboard.api.shapes.parts import Enveloped
from scoreboard.api.v1.sessions import ONE_PATH, PASSWORD_PATH, PATH, PasswordBody, SessionRoutes
from scoreboard.api.world import ApiWorld


def routes(world: ApiWorld) -> Iterator[Route]:
    """What no document names, and everybody needs who has lost a phone."""
    sessions = SessionRoutes(world)
    ended = Told(Enveloped[shapes.SessionsEnded])
    yield Route(
        *("GET", PATH, sessions.listed),
        says="One's own open sessions, the newest first.",
        answers=(Told(Enveloped[shapes.OpenSessions]),),
        access=Access.PLAYER,
    )
    yield Route(
        *("DELETE", PATH, sessions.end_others),
        says="End all of one's sessions but this one.",
        answers=(ended,),
        access=Access.PLAYER,
    )
    yield Route(
        *("DELETE", ONE_PATH, sessions.end),
        says="End one of one's own sessions.",
        answers=(ended,),
        faults=("NOT_FOUND",),
        access=Access.PLAYER,
    )
    yield Route(
        *("POST", PASSWORD_PATH, sessions.change_password),
        says="Change one's password; all other sessions end.",
        answers=(ended,),
        faults=("INVALID_CREDENTIALS", "USER_NOT_FOUND"),
        access=Access.PLAYER,
        body=PasswordBody,
        example={"currentPassword": "a long enough secret", "newPassword": "a longer secret, just in case"},
    )
