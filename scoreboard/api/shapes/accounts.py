"""Answers about accounts and sessions."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from scoreboard.api.shapes.parts import Id, Moment, Name, Seconds, Shape, Token, Yes


class Tokens(Shape):
    """The tokens of a session."""

    access_token: Token
    refresh_token: Token
    expires_in: Seconds


class Registered(Shape):
    """A new player, signed in."""

    user_id: Id
    username: Name
    access_token: Token
    refresh_token: Token
    expires_in: Seconds


class Session(Registered):
    """A session, with the secret for signatures."""

    client_secret: Annotated[str, Meta(pattern="^[0-9a-f]{64}$", examples=["0" * 64])]


class OpenSession(Shape):
    """A session that is open; `lastUsedAt` is when its tokens were renewed."""

    id: Id
    created_at: Moment
    last_used_at: Moment
    expires_at: Moment
    address: str | None
    agent: str | None
    current: bool


class OpenSessions(Shape):
    """Open sessions, the newest first."""

    sessions: list[OpenSession]


class SessionsEnded(Shape):
    """How many sessions have ended by this."""

    ended: Annotated[int, Meta(ge=0)]


class Done(Shape):
    """It is done."""

    success: Yes
